package dpserve.io.codec;

import dpserve.io.codec.CodecException.Kind;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * A cursor over one frame. Every header is checked against the bytes that remain before anything is allocated, and every
 * fault is a {@link CodecException} that names the field. Reused: {@link #reset} begins another frame.
 */
final class WireScanner {
    /** Ext code that stands for every code. */
    static final int ANY_EXT = -1;

    private byte[] frame;
    private int at;
    private int end;

    /** Begins a frame. */
    void reset(byte[] bytes) throws CodecException {
        reset(bytes, 0, bytes.length);
    }

    void reset(byte[] bytes, int from, int to) throws CodecException {
        if (to - from > WireLimits.MAX_FRAME_BYTES) {
            throw new CodecException(Kind.TOO_LONG, "frame over " + WireLimits.MAX_FRAME_BYTES + " bytes");
        }
        frame = bytes;
        at = from;
        end = to;
    }

    /** The frame's bytes. */
    byte[] frame() {
        return frame;
    }

    /** Where the frame, or the part of it that is being read, ends. */
    int limit() {
        return end;
    }

    /** Moves to another offset and limit within the frame; the caller has checked them. */
    void window(int from, int to) {
        at = from;
        end = to;
    }

    /** Moves behind {@code bytes} bytes whose header has just been read. */
    void advance(int bytes) {
        at += bytes;
    }

    /** Offset of the next value in the frame. */
    int position() {
        return at;
    }

    boolean atEnd() {
        return at >= end;
    }

    /** Reads an array header. */
    int array(String field) throws CodecException {
        int b = next(field);
        int length;
        if ((b & 0xf0) == 0x90) {
            length = b & 0x0f;
        } else if (b == 0xdc) {
            length = (int) unsigned(2, field);
        } else if (b == 0xdd) {
            length = length32(field);
        } else {
            throw wrongType(field, "an array");
        }
        return announced(length, 1, field);
    }

    /** Reads a map header. */
    int map(String field) throws CodecException {
        int b = next(field);
        int entries;
        if ((b & 0xf0) == 0x80) {
            entries = b & 0x0f;
        } else if (b == 0xde) {
            entries = (int) unsigned(2, field);
        } else if (b == 0xdf) {
            entries = length32(field);
        } else {
            throw wrongType(field, "a map");
        }
        return announced(entries, 2, field);
    }

    /** If the next value is nil, consumes it. */
    boolean nil() {
        if (at < end && (frame[at] & 0xff) == 0xc0) {
            at++;
            return true;
        }
        return false;
    }

    boolean bool(String field) throws CodecException {
        int b = next(field);
        if (b == 0xc2 || b == 0xc3) {
            return b == 0xc3;
        }
        throw wrongType(field, "a bool");
    }

    long integer(String field) throws CodecException {
        int b = next(field);
        if (b <= 0x7f) {
            return b;
        }
        if (b >= 0xe0) {
            return (byte) b;
        }
        return switch (b) {
            case 0xcc -> unsigned(1, field);
            case 0xcd -> unsigned(2, field);
            case 0xce -> unsigned(4, field);
            case 0xcf -> {
                long value = unsigned(8, field);
                if (value < 0) {
                    throw new CodecException(Kind.BAD_VALUE, field + " is over 2^63 - 1");
                }
                yield value;
            }
            case 0xd0 -> (byte) unsigned(1, field);
            case 0xd1 -> (short) unsigned(2, field);
            case 0xd2 -> (int) unsigned(4, field);
            case 0xd3 -> unsigned(8, field);
            default -> throw wrongType(field, "an int");
        };
    }

    int int32(String field) throws CodecException {
        long value = integer(field);
        if (value != (int) value) {
            throw new CodecException(Kind.BAD_VALUE, field + " does not fit 32 bits");
        }
        return (int) value;
    }

    /** A float; ints are accepted, as msgspec does. */
    double number(String field) throws CodecException {
        int b = peek(field);
        if (b == 0xcb) {
            at++;
            return Double.longBitsToDouble(unsigned(8, field));
        }
        if (b == 0xca) {
            at++;
            return Float.intBitsToFloat((int) unsigned(4, field));
        }
        if (isInt(b)) {
            return integer(field);
        }
        throw wrongType(field, "a float");
    }

    static boolean isArray(int b) {
        return (b & 0xf0) == 0x90 || b == 0xdc || b == 0xdd;
    }

    static boolean isMap(int b) {
        return (b & 0xf0) == 0x80 || b == 0xde || b == 0xdf;
    }

    static boolean isText(int b) {
        return (b & 0xe0) == 0xa0 || b >= 0xd9 && b <= 0xdb;
    }

    static boolean isInt(int b) {
        return b <= 0x7f || b >= 0xe0 || b >= 0xcc && b <= 0xd3;
    }

    String text(String field) throws CodecException {
        int length = textHeader(field);
        String value = new String(frame, at, length, StandardCharsets.UTF_8);
        at += length;
        return value;
    }

    /** A text of one ASCII character; 0 for any other. */
    char character(String field) throws CodecException {
        int length = textHeader(field);
        char found = length == 1 ? (char) Math.max(0, frame[at]) : 0;
        at += length;
        return found;
    }

    /** Passes over values of one byte each (nil, bool, small int), at most so many; returns how many there were. */
    int skipBare(int most) {
        int from = at;
        int stop = Math.min(end, at + most);
        while (at < stop && isBare(frame[at])) {
            at++;
        }
        return at - from;
    }

    private static boolean isBare(byte b) {
        return b >= -32 || b == (byte) 0xc0 || b == (byte) 0xc2 || b == (byte) 0xc3;
    }

    /** Whether the next text is this one; consumes it either way. */
    boolean textIs(KnownText expected, String field) throws CodecException {
        int length = textHeader(field);
        boolean same = Arrays.equals(frame, at, at + length, expected.utf8(), 0, expected.utf8().length);
        at += length;
        return same;
    }

    int textHeader(String field) throws CodecException {
        int b = next(field);
        int length;
        if ((b & 0xe0) == 0xa0) {
            length = b & 0x1f;
        } else if (b == 0xd9) {
            length = (int) unsigned(1, field);
        } else if (b == 0xda) {
            length = (int) unsigned(2, field);
        } else if (b == 0xdb) {
            length = length32(field);
        } else {
            throw wrongType(field, "a text");
        }
        if (length > WireLimits.MAX_TEXT_BYTES) {
            throw new CodecException(Kind.TOO_LONG, field + " over " + WireLimits.MAX_TEXT_BYTES + " bytes");
        }
        return announced(length, 1, field);
    }

    String optText(String field) throws CodecException {
        return nil() ? null : text(field);
    }

    Integer optInt32(String field) throws CodecException {
        return nil() ? null : Integer.valueOf(int32(field));
    }

    Long optInteger(String field) throws CodecException {
        return nil() ? null : Long.valueOf(integer(field));
    }

    Double optNumber(String field) throws CodecException {
        return nil() ? null : Double.valueOf(number(field));
    }

    int binHeader(String field) throws CodecException {
        int b = next(field);
        int length = switch (b) {
            case 0xc4 -> (int) unsigned(1, field);
            case 0xc5 -> (int) unsigned(2, field);
            case 0xc6 -> length32(field);
            default -> throw wrongType(field, "bytes");
        };
        return announced(length, 1, field);
    }

    /** A copy of the bytes of a bin value. */
    byte[] bytes(String field) throws CodecException {
        int length = binHeader(field);
        byte[] copy = Arrays.copyOfRange(frame, at, at + length);
        at += length;
        return copy;
    }

    /** Reads the header of an Ext value of this code, or of any with {@link #ANY_EXT}. */
    int extHeader(int code, String field) throws CodecException {
        int b = next(field);
        int length = switch (b) {
            case 0xd4, 0xd5, 0xd6, 0xd7, 0xd8 -> 1 << (b - 0xd4);
            case 0xc7 -> (int) unsigned(1, field);
            case 0xc8 -> (int) unsigned(2, field);
            case 0xc9 -> length32(field);
            default -> throw wrongType(field, "an array of ids");
        };
        int found = next(field);
        if (code >= 0 && found != code) {
            throw wrongType(field, "an array of ids");
        }
        return announced(length, 1, field);
    }

    int peek(String field) throws CodecException {
        if (at >= end) {
            throw new CodecException(Kind.TRUNCATED, "at " + field);
        }
        return frame[at] & 0xff;
    }

    private int next(String field) throws CodecException {
        int b = peek(field);
        at++;
        return b;
    }

    /** Big-endian, as msgpack's headers; 8 bytes come back as their bits. */
    long unsigned(int bytes, String field) throws CodecException {
        if (end - at < bytes) {
            throw new CodecException(Kind.TRUNCATED, "at " + field);
        }
        long value = 0;
        for (int i = 0; i < bytes; i++) {
            value = value << 8 | frame[at++] & 0xff;
        }
        return value;
    }

    private int length32(String field) throws CodecException {
        long length = unsigned(4, field);
        if (length > Integer.MAX_VALUE) {
            throw new CodecException(Kind.TRUNCATED, field + " announces more than the frame holds");
        }
        return (int) length;
    }

    private int announced(int count, int leastBytesEach, String field) throws CodecException {
        if ((long) count * leastBytesEach > end - at) {
            throw new CodecException(Kind.TRUNCATED, field + " announces more than the frame holds");
        }
        return count;
    }

    static CodecException wrongType(String field, String expected) {
        return new CodecException(Kind.WRONG_TYPE, field + " is not " + expected);
    }
}
