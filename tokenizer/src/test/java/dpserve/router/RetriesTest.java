package dpserve.router;

import static org.assertj.core.api.Assertions.assertThat;

import dpserve.io.message.Refused;
import org.junit.jupiter.api.Test;

class RetriesTest {
    private final Retries retries = new Retries();

    @Test
    void shouldTryThreeTimes() {
        assertThat(retries.afterFailure("the rank died")).isEqualTo(Retries.DELAY_MS);
        assertThat(retries.afterFailure("the rank died")).isEqualTo(2 * Retries.DELAY_MS);
        assertThat(retries.afterFailure("the rank died")).isEqualTo(Retries.GIVE_UP);
    }

    /** Of two ranks one is dead: every other room is refused, and that must not use up the attempts. */
    @Test
    void shouldDrawRoomsUntilARankTakesOne() {
        retries.afterFailure("the rank died");
        for (int i = 0; i < Retries.MAX_REFUSALS; i++) {
            assertThat(retries.afterFailure("prefill: " + Refused.ROOM_UNAVAILABLE))
                    .isEqualTo(Retries.DELAY_MS);
        }
        assertThat(retries.afterFailure("the rank died")).isEqualTo(2 * Retries.DELAY_MS);
        assertThat(retries.afterFailure(Refused.ROOM_UNAVAILABLE)).isEqualTo(Retries.GIVE_UP);
    }
}
