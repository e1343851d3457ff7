package dpserve.controller;

import static org.assertj.core.api.Assertions.assertThat;

import dpserve.io.WireRid;
import dpserve.io.codec.TextSpan;
import java.nio.charset.StandardCharsets;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TextSlotsTest {
    private final TextSlots slots = new TextSlots(4);

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 16, 43, 62, 63, 64, 65, 200, 6000})
    void shouldKeepATextOfAnyLength(int length) {
        TextSpan text = TextSpan.of("x".repeat(length));
        slots.set(2, text);
        assertThat(slots.isEmpty(2)).isFalse();
        assertThat(slots.text(2)).isEqualTo(text.toString());
        assertThat(slots.span(2)).isEqualTo(text);
        assertThat(slots.is(2, text)).isTrue();
        assertThat(slots.is(2, TextSpan.of("x".repeat(length + 1)))).isFalse();
        assertThat(slots.is(2, TextSpan.of("x".repeat(Math.max(0, length - 1)) + "y")))
                .isFalse();
        assertThat(slots.hash64(2)).isEqualTo(WireRid.hash64(text.toString()));
        slots.clear(2);
        assertThat(slots.isEmpty(2)).isTrue();
        assertThat(slots.text(2)).isNull();
        assertThat(slots.is(2, text)).isFalse();
    }

    @Test
    void shouldCopyWhatLiesBetweenTheBoundsAndNothingElse() {
        byte[] frame = "abcdef".getBytes(StandardCharsets.UTF_8);
        slots.set(0, new TextSpan(frame, 2, 4));
        frame[2] = 'z';
        assertThat(slots.text(0)).isEqualTo("cd");
    }

    @Test
    void shouldLeaveTheNeighboursAloneWhateverComes() {
        Random random = new Random(5);
        String[] expected = new String[4];
        for (int i = 0; i < 5000; i++) {
            int slot = random.nextInt(expected.length);
            expected[slot] = random.nextInt(4) == 0 ? null : "\u00fc".repeat(random.nextInt(40)) + i;
            if (expected[slot] == null) {
                slots.clear(slot);
            } else {
                slots.set(slot, TextSpan.of(expected[slot]));
            }
            for (int s = 0; s < expected.length; s++) {
                assertThat(slots.text(s)).isEqualTo(expected[s]);
            }
        }
    }
}
