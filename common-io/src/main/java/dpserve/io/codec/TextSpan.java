package dpserve.io.codec;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * A text where it lies, so that comparing and keeping it needs no copy of its own. Equal to another of the same bytes.
 *
 * @param utf8 valid UTF-8 between the bounds; it must not change there while this is used
 * @param from offset of the first byte
 * @param to offset behind the last one
 */
public record TextSpan(byte[] utf8, int from, int to) {

    /** The same as a copy. */
    public static TextSpan of(String text) {
        byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
        return new TextSpan(utf8, 0, utf8.length);
    }

    /** The next text where it lies, or as a copy if it has other characters than ASCII, whose bytes may be no UTF-8. */
    static TextSpan read(WireScanner in, String field) throws CodecException {
        int start = in.position();
        int length = in.textHeader(field);
        TextSpan span = new TextSpan(in.frame(), in.position(), in.position() + length);
        if (LittleEndian.isAscii(span.utf8, span.from, span.to)) {
            in.advance(length);
            return span;
        }
        in.window(start, in.limit());
        return of(in.text(field));
    }

    /** Bytes. */
    public int length() {
        return to - from;
    }

    /** Whether it begins with this text, which is plain ASCII. */
    public boolean startsWith(String ascii) {
        if (length() < ascii.length()) {
            return false;
        }
        for (int i = 0; i < ascii.length(); i++) {
            if (utf8[from + i] != ascii.charAt(i)) {
                return false;
            }
        }
        return true;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof TextSpan t && Arrays.equals(utf8, from, to, t.utf8, t.from, t.to);
    }

    @Override
    public int hashCode() {
        int hash = 1;
        for (int i = from; i < to; i++) {
            hash = 31 * hash + utf8[i];
        }
        return hash;
    }

    /** The text. */
    @Override
    public String toString() {
        return new String(utf8, from, length(), StandardCharsets.UTF_8);
    }
}
