package dpserve.controller;

import static org.assertj.core.api.Assertions.assertThat;

import dpserve.io.WireRid;
import dpserve.io.codec.TextSpan;
import org.junit.jupiter.api.Test;

class RidKeyTest {

    @Test
    void shouldBeTheSameWhereverTheRidLies() {
        String text = "xx" + new WireRid("user", 1_763_871_234_567L, 9, 0) + "yy";
        TextSpan in = TextSpan.of(text);
        TextSpan rid = new TextSpan(in.utf8(), 2, in.to() - 2);
        assertThat(RidKey.of(rid)).isEqualTo(RidKey.of(TextSpan.of(rid.toString())));
        for (int length = 0; length < 20; length++) {
            TextSpan part = new TextSpan(in.utf8(), 2, 2 + length);
            assertThat(RidKey.of(part)).isEqualTo(RidKey.of(TextSpan.of(part.toString())));
        }
    }

    /** Running numbers come one after the other; a table at most half full of them must not have long runs. */
    @Test
    void shouldSpreadTheAttemptsOfAWorkerAsChanceWould() {
        int slots = 1 << 14;
        int[] taken = new int[slots];
        for (int n = 0; n < slots / 2; n++) {
            taken[RidKey.of(TextSpan.of(new WireRid("user", 1_763_871_234_567L, n, n % 2).toString())) & (slots - 1)]++;
        }
        long free = 0;
        int most = 0;
        for (int count : taken) {
            free += count == 0 ? 1 : 0;
            most = Math.max(most, count);
        }
        assertThat(free / (double) slots).as("a share of exp(-1/2) by chance").isBetween(0.58, 0.63);
        assertThat(most).isLessThan(10);
    }
}
