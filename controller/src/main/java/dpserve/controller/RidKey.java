package dpserve.controller;

/**
 * Where in a map a wire rid belongs. Computed from the characters at its end: the worker's running number, the attempt, and digits
 * of the worker's incarnation. They tell attempts apart, and no user has a say in them.
 */
final class RidKey {
    private static final int CHARS = 16;

    /** A factor for each of them: products that do not wait for one another cost a third of a running hash. */
    private static final int[] FACTORS = factors();

    private RidKey() {}

    private static int[] factors() {
        int[] factors = new int[CHARS];
        int factor = 1;
        for (int i = 0; i < CHARS; i++) {
            factor *= 0x9E3779B1; // odd, so no power of it loses bits
            factors[i] = factor;
        }
        return factors;
    }

    static int of(String rid) {
        int key = 0;
        int to = rid.length();
        for (int i = Math.max(0, to - CHARS); i < to; i++) {
            key += FACTORS[to - 1 - i] * rid.charAt(i);
        }
        return mix(key);
    }

    /** The same of an ASCII rid that lies in a frame. */
    static int of(byte[] frame, int from, int to) {
        int key = 0;
        for (int i = Math.max(from, to - CHARS); i < to; i++) {
            key += FACTORS[to - 1 - i] * frame[i];
        }
        return mix(key);
    }

    private static int mix(int key) {
        return key ^ (key >>> 16);
    }

    /** Whether the bytes are this rid in ASCII. */
    static boolean isText(String rid, byte[] frame, int from, int to) {
        boolean same = rid.length() == to - from;
        for (int i = 0; same && i < rid.length(); i++) {
            same = rid.charAt(i) == frame[from + i]; // a byte of a longer character is below 0, no char is
        }
        return same;
    }
}
