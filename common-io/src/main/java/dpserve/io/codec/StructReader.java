package dpserve.io.codec;

import dpserve.io.codec.CodecException.Kind;

/**
 * The positions of one struct: says whether the next field is present, passes over fields that are not used, and finds
 * the extension element behind the last field.
 *
 * <p>Use: create behind the array header, read fields in order with {@link #to}, then {@link #ext}, then {@link #finish}.
 */
final class StructReader {
    private final WireScanner in;
    private final String tag;
    private final int length;
    private int index;

    /**
     * @param tag names the struct in errors
     * @param length elements announced
     * @param index position of the next element
     * @param required least number of elements
     */
    StructReader(WireScanner in, String tag, int length, int index, int required) throws CodecException {
        this.in = in;
        this.tag = tag;
        this.length = length;
        this.index = index;
        if (length < required) {
            throw new CodecException(
                    Kind.TRUNCATED, tag + " has " + length + " elements, at least " + required + " are needed");
        }
    }

    /**
     * Moves to a position, passing over what lies before it.
     *
     * @return false if the struct is too short to have it, or it is the extension element of a shorter layout
     */
    boolean to(int position) throws CodecException {
        while (index < position && index < length) {
            if (skipBare(position)) {
                continue;
            }
            if (extAhead()) {
                return false;
            }
            WireValues.skip(in, tag);
            index++;
        }
        if (index != position || index >= length || extAhead()) {
            return false;
        }
        index++;
        return true;
    }

    /**
     * Moves to the extension element, the last one, if there is one.
     *
     * @return its number of entries, 0 without one
     */
    int ext() throws CodecException {
        while (index < length) {
            if (skipBare(length)) {
                continue;
            }
            if (extAhead()) {
                index++;
                in.array(ExtKeys.TAG);
                in.text(ExtKeys.TAG);
                return in.map(ExtKeys.TAG);
            }
            WireValues.skip(in, tag);
            index++;
        }
        return 0;
    }

    /** Passes over fields of one byte, which most are: none of them is the extension element. */
    private boolean skipBare(int position) {
        int skipped = in.skipBare(Math.min(position, length) - index);
        index += skipped;
        return skipped > 0;
    }

    /** Passes over what is left. */
    void finish() throws CodecException {
        while (index < length) {
            WireValues.skip(in, tag);
            index++;
        }
    }

    /** Whether the next element is the last and reads {@code ["DpserveExt", ...}. */
    private boolean extAhead() throws CodecException {
        return index == length - 1 && startsExt(in);
    }

    private static boolean startsExt(WireScanner in) throws CodecException {
        int at = in.position();
        int limit = in.limit();
        boolean found = false;
        if (at < limit && (in.frame()[at] & 0xff) == 0x92) {
            in.advance(1);
            found = in.position() < limit
                    && WireScanner.isText(in.peek(ExtKeys.TAG))
                    && in.textIs(ExtKeys.KNOWN_TAG, ExtKeys.TAG);
        }
        in.window(at, limit);
        return found;
    }
}
