package dpserve.controller;

import static org.assertj.core.api.Assertions.assertThat;

import dpserve.io.WireRid;
import dpserve.io.codec.TextSpan;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
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

    @ParameterizedTest
    @ValueSource(strings = {"a", "ab", "gr\u00f6\u00dfer", "\ud83d\ude00"})
    void shouldKnowWhoseRidASlotHolds(String user) {
        slots.set(1, TextSpan.of(user + "\u001f100.2.0"));
        slots.set(2, TextSpan.of(user));
        slots.set(3, TextSpan.of(user.repeat(100) + "\u001f100.3.0"));
        assertThat(isOfUser(user)).containsExactly(1, 2);
        assertThat(isOfUser(user + "b")).isEmpty();
        assertThat(isOfUser(user.substring(0, user.length() - 1))).isEmpty();
        assertThat(isOfUser(user.repeat(100))).containsExactly(3);
        assertThat(isOfUser(user.repeat(99))).isEmpty();
        assertThat(isOfUser(user + "\u001f100.2.0")).isEmpty();
        slots.clear(1);
        assertThat(isOfUser(user)).containsExactly(2);
    }

    private List<Integer> isOfUser(String user) {
        List<Integer> found = new ArrayList<>();
        for (int slot = 0; slot < slots.slots(); slot++) {
            if (slots.isOfUser(slot, user.getBytes(StandardCharsets.UTF_8))) {
                found.add(slot);
            }
        }
        return found;
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
