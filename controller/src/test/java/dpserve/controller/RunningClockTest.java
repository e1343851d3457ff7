package dpserve.controller;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class RunningClockTest {
    private static final long MS = 1_000_000L;

    private final RunningClock clock = new RunningClock();

    @Test
    void shouldCountOfAStopOnlyTheLongestStep() {
        assertThat(clock.at(-5 * MS)).isZero();
        assertThat(clock.at(95 * MS)).isEqualTo(100 * MS);
        assertThat(clock.at(10_095 * MS)).isEqualTo(100 * MS + RunningClock.MAX_STEP_NS);
    }

    @Test
    void shouldCountNoTimeTwiceThatIsGivenAgainAfterALaterOne() {
        clock.at(0);
        clock.at(100 * MS);
        assertThat(clock.at(0)).isEqualTo(100 * MS);
        assertThat(clock.at(100 * MS)).isEqualTo(100 * MS);
        assertThat(clock.at(130 * MS)).isEqualTo(130 * MS);
    }
}
