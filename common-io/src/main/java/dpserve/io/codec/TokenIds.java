package dpserve.io.codec;

import dpserve.io.codec.CodecException.Kind;

/**
 * Arrays of token ids in every form a peer may send: {@code [typecode, bytes]}, or an Ext value of code 1 (big-endian
 * uint32 length of the metadata, the typecode as msgpack text, then the raw data), the form SGLang 0.5.23 writes.
 */
final class TokenIds {
    private static final int ARRAY_EXT = 1;
    private static final int[] NONE = {};

    private TokenIds() {}

    /**
     * Reads one array.
     *
     * @return null for nil
     */
    static int[] read(WireScanner in, String field) throws CodecException {
        if (in.nil()) {
            return null;
        }
        IntArraySpan span = span(in, field);
        if (span.count() == 0) {
            return NONE;
        }
        int[] ids = new int[span.count()];
        byte[] frame = in.frame();
        int from = span.offset();
        for (int i = 0; i < ids.length; i++, from += span.itemBytes()) {
            long id = item(frame, from, span);
            if (id != (int) id) {
                throw new CodecException(Kind.BAD_VALUE, field + " holds an id that does not fit 32 bits");
            }
            ids[i] = (int) id;
        }
        return ids;
    }

    /** Reads the header of one array, moves behind the array and tells where its items lie. */
    static IntArraySpan span(WireScanner in, String field) throws CodecException {
        int b = in.peek(field);
        if (WireScanner.isArray(b)) {
            if (in.array(field) != 2) {
                throw WireScanner.wrongType(field, "a pair of typecode and bytes");
            }
            char typecode = in.character(field);
            return span(in, typecode, in.binHeader(field), field);
        }
        int length = in.extHeader(ARRAY_EXT, field);
        int stop = in.position() + length;
        int outer = in.limit();
        in.window(in.position(), stop);
        long metadata = in.unsigned(4, field);
        if (metadata > stop - in.position()) {
            throw new CodecException(Kind.TRUNCATED, field + " lacks its metadata");
        }
        int data = in.position() + (int) metadata;
        in.window(in.position(), data);
        char typecode = in.character(field);
        in.window(data, outer);
        return span(in, typecode, stop - data, field);
    }

    private static IntArraySpan span(WireScanner in, char typecode, int bytes, String field) throws CodecException {
        int itemBytes = IntArrayForm.itemBytes(typecode);
        if (itemBytes == 0) {
            throw new CodecException(Kind.BAD_VALUE, field + " has a typecode that is no integer's");
        }
        if (bytes % itemBytes != 0) {
            throw new CodecException(Kind.BAD_VALUE, field + " holds part of an item");
        }
        boolean unsigned = typecode <= 'Z';
        IntArraySpan span = new IntArraySpan(in.position(), bytes / itemBytes, itemBytes, unsigned);
        in.advance(bytes);
        return span;
    }

    /** One item of an array of ids. */
    static long item(byte[] frame, int from, IntArraySpan span) {
        return switch (span.itemBytes()) {
            case 1 -> span.unsigned() ? frame[from] & 0xff : frame[from];
            case 2 -> {
                short s = LittleEndian.getShort(frame, from);
                yield span.unsigned() ? s & 0xffff : s;
            }
            case 4 -> {
                int i = LittleEndian.getInt(frame, from);
                yield span.unsigned() ? i & 0xffffffffL : i;
            }
            default -> {
                long l = LittleEndian.getLong(frame, from);
                // An unsigned value over 2^63 must not pass for a small one.
                yield span.unsigned() && l < 0 ? Long.MAX_VALUE : l;
            }
        };
    }
}
