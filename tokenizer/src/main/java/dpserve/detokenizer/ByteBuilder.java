package dpserve.detokenizer;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** A byte array that grows, reused from request to request. */
final class ByteBuilder {
    private static final int INITIAL_BYTES = 4096;

    /** A token is at most a few hundred bytes; short copies are cheaper in a loop than through a call. */
    private static final int LOOP_LIMIT = 16;

    private byte[] bytes = new byte[INITIAL_BYTES];
    private int length;

    void clear() {
        length = 0;
    }

    int length() {
        return length;
    }

    byte at(int i) {
        return bytes[i];
    }

    void append(byte[] from, int start, int end) {
        int count = end - start;
        ensure(count);
        if (count <= LOOP_LIMIT) {
            byte[] to = bytes;
            int at = length;
            for (int i = start; i < end; i++) {
                to[at++] = from[i];
            }
        } else {
            System.arraycopy(from, start, bytes, length, count);
        }
        length += count;
    }

    /** Forgets all bytes before this one. */
    void removeBefore(int start) {
        System.arraycopy(bytes, start, bytes, 0, length - start);
        length -= start;
    }

    private void ensure(int more) {
        if (bytes.length - length < more) {
            bytes = Arrays.copyOf(bytes, Math.max(length + more, 2 * bytes.length));
        }
    }

    /** The bytes up to {@code end} as text; malformed ones become U+FFFD. */
    String text(int end) {
        return new String(bytes, 0, end, StandardCharsets.UTF_8);
    }

    /**
     * How many bytes at the front are text whatever follows: all but a character at the end whose last bytes are still
     * to come. Decoding there and going on behind gives the same text as decoding everything at once, because the cut
     * lies before a first byte of a character, and no decoder reads past one.
     */
    int completeLength() {
        int oldest = Math.max(0, length - 3);
        for (int i = length - 1; i >= oldest; i--) {
            int b = bytes[i] & 0xff;
            if (b < 0x80) {
                return length;
            }
            if (b >= 0xc0) {
                return length - i < characterLength(b) ? i : length;
            }
        }
        return length;
    }

    /** How many bytes a character has that begins with this byte; 1 for a byte that can begin none. */
    private static int characterLength(int firstByte) {
        if (firstByte < 0xc2 || firstByte > 0xf4) {
            return 1;
        }
        return firstByte < 0xe0 ? 2 : firstByte < 0xf0 ? 3 : 4;
    }
}
