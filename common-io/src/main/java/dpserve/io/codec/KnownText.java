package dpserve.io.codec;

import java.nio.charset.StandardCharsets;

/**
 * A text that is expected in a frame, and its bytes to compare with.
 *
 * @param utf8 never changed
 */
record KnownText(String text, byte[] utf8) {

    static KnownText of(String text) {
        return new KnownText(text, text.getBytes(StandardCharsets.UTF_8));
    }

    /** The next text, which is the one given, without a copy, if it equals that; that may be null. */
    static KnownText read(WireScanner in, KnownText expected, String field) throws CodecException {
        int from = in.position();
        if (expected != null && in.textIs(expected, field)) {
            return expected;
        }
        in.window(from, in.limit());
        return of(in.text(field));
    }
}
