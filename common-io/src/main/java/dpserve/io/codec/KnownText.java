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
}
