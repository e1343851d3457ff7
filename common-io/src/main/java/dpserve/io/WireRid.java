package dpserve.io;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.zip.CRC32;

/**
 * The name of one attempt: {@code <user rid> U+001F <worker incarnation>.<n>.<attempt>}.
 *
 * <p>Every process but the owning tokenizer worker keys its state by this name, so output of an abandoned attempt can
 * never be taken for that of its successor, and two users who chose the same rid never meet.
 *
 * @param userRid the rid the client gave or was given; never contains U+001F
 * @param workerIncarnation incarnation of the owning tokenizer worker
 * @param n the worker's own running number of the request, unique within the incarnation
 * @param attempt 0 for the first time it is sent
 */
public record WireRid(String userRid, long workerIncarnation, long n, int attempt) {

    /** Separates the user's rid from the attempt: U+001F, the unit separator. Not allowed in a user's rid. */
    public static final char SEPARATOR = '\u001f';

    private static final long FNV_OFFSET = 0xcbf29ce484222325L;
    private static final long FNV_PRIME = 0x100000001b3L;

    @Override
    public String toString() {
        return userRid + SEPARATOR + workerIncarnation + '.' + n + '.' + attempt;
    }

    /** Whether this is a wire rid and not a bare user rid. */
    public static boolean isWireRid(String rid) {
        return rid.lastIndexOf(SEPARATOR) >= 0;
    }

    /** The user's part of a wire rid; the whole text of a bare rid. */
    public static String userPart(String rid) {
        int at = rid.lastIndexOf(SEPARATOR);
        return at < 0 ? rid : rid.substring(0, at);
    }

    /**
     * Whether {@link #userPart} of a text, which is UTF-8 between two offsets, is this user's rid. Makes no text, so that a
     * great many can be asked.
     *
     * @param userRid as UTF-8
     */
    public static boolean isOfUser(byte[] utf8, int from, int to, byte[] userRid) {
        int end = from + userRid.length;
        if (end > to || !Arrays.equals(utf8, from, end, userRid, 0, userRid.length)) {
            return false;
        }
        int at = to - 1;
        while (at >= from && utf8[at] != SEPARATOR) { // in UTF-8 no other character has this byte
            at--;
        }
        return at < from ? end == to : end == at;
    }

    /** The incarnation of the worker that owns an attempt; 0 for a text that is no wire rid. */
    public static long incarnationOf(String rid) {
        WireRid parts = parse(rid);
        return parts == null ? 0 : parts.workerIncarnation();
    }

    /**
     * Reads a wire rid.
     *
     * @return null if the text is not one
     */
    public static WireRid parse(String rid) {
        int at = rid.lastIndexOf(SEPARATOR);
        if (at < 0) {
            return null;
        }
        int dot1 = rid.indexOf('.', at);
        int dot2 = dot1 < 0 ? -1 : rid.indexOf('.', dot1 + 1);
        if (dot2 < 0) {
            return null;
        }
        try {
            return new WireRid(
                    rid.substring(0, at),
                    Long.parseLong(rid, at + 1, dot1, 10),
                    Long.parseLong(rid, dot1 + 1, dot2, 10),
                    Integer.parseInt(rid, dot2 + 1, rid.length(), 10));
        } catch (NumberFormatException e) {
            return null;
        }
    }

    /**
     * 64-bit FNV-1a of the UTF-8 bytes, finished with a mixer so that XOR over a set tells sets apart. Both sides of a
     * heartbeat compute it, so it is part of the protocol.
     */
    public static long hash64(String rid) {
        long h = FNV_OFFSET;
        for (int i = 0; i < rid.length(); i++) {
            char c = rid.charAt(i);
            if (c >= 0x80) {
                byte[] utf8 = rid.getBytes(StandardCharsets.UTF_8);
                return hash64(utf8, 0, utf8.length);
            }
            // ASCII is its own UTF-8: no copy of the bytes, for this is done three times for each request.
            h = (h ^ c) * FNV_PRIME;
        }
        return mix(h);
    }

    /** The same of bytes that are UTF-8 already, between two offsets. */
    public static long hash64(byte[] utf8, int from, int to) {
        long h = FNV_OFFSET;
        for (int i = from; i < to; i++) {
            h = (h ^ (utf8[i] & 0xff)) * FNV_PRIME;
        }
        return mix(h);
    }

    /** Which of {@code detokenizers} has the text of an attempt: crc32 of the UTF-8 bytes modulo their number. */
    public static int detokenizer(String rid, int detokenizers) {
        CRC32 crc = new CRC32();
        crc.update(rid.getBytes(StandardCharsets.UTF_8));
        return (int) (crc.getValue() % detokenizers);
    }

    private static long mix(long hash) {
        long h = (hash ^ (hash >>> 33)) * 0xff51afd7ed558ccdL;
        return h ^ (h >>> 33);
    }
}
