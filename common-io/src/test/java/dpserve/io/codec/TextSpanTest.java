package dpserve.io.codec;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

class TextSpanTest {
    private static final byte[] FRAME = "--HEALTH_CHECK_\u00fc--".getBytes(StandardCharsets.UTF_8);

    private final TextSpan span = new TextSpan(FRAME, 2, FRAME.length - 2);

    @Test
    void shouldBeTheTextBetweenItsBounds() {
        assertThat(span).hasToString("HEALTH_CHECK_\u00fc").hasSameHashCodeAs(TextSpan.of("HEALTH_CHECK_\u00fc"));
        assertThat(span).isEqualTo(TextSpan.of("HEALTH_CHECK_\u00fc")).isNotEqualTo(TextSpan.of("HEALTH_CHECK_"));
        assertThat(span.length()).isEqualTo(15);
    }

    @Test
    void shouldKnowWhatItBeginsWith() {
        assertThat(span.startsWith("HEALTH_CHECK")).isTrue();
        assertThat(span.startsWith("")).isTrue();
        assertThat(span.startsWith("-")).isFalse();
        assertThat(new TextSpan(FRAME, 2, 8).startsWith("HEALTH_CHECK"))
                .as("it ends before")
                .isFalse();
    }
}
