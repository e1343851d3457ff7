package dpserve.scheduler.process;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class HeartbeatSenderTest {
    private static final long INTERVAL_MS = 200;

    @Test
    void shouldBeatAtMultiplesOfTheIntervalSoThatRanksOfAHostBeatTogether() {
        for (long nowMs = 1_700_000_000_000L; nowMs < 1_700_000_000_400L; nowMs++) {
            assertThat((nowMs + HeartbeatSender.waitMs(nowMs, INTERVAL_MS)) % INTERVAL_MS)
                    .isZero();
        }
    }

    @Test
    void shouldWaitHardlyLongerThanAnInterval() {
        assertThat(HeartbeatSender.waitMs(1000, INTERVAL_MS)).isEqualTo(200);
        assertThat(HeartbeatSender.waitMs(1175, INTERVAL_MS)).isEqualTo(25);
        assertThat(HeartbeatSender.waitMs(1176, INTERVAL_MS)).isEqualTo(224);
        // woken just before it was due, as happens while the host's clock is slewed: not two within a millisecond
        assertThat(HeartbeatSender.waitMs(1199, INTERVAL_MS)).isEqualTo(201);
    }

    @Test
    void shouldStillWaitWithTheShortestInterval() {
        assertThat(HeartbeatSender.waitMs(1000, 1)).isEqualTo(1);
    }
}
