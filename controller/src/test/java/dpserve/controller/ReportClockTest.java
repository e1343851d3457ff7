package dpserve.controller;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class ReportClockTest {
    private static final long MS = 1_000_000L;
    private static final long S = 1_000 * MS;

    private final ReportClock clock = new ReportClock();

    ReportClockTest() {
        clock.ensureSlots(2);
    }

    @Test
    void shouldCountFromTheSampleOnOneHost() {
        clock.begin(0, false);
        clock.report(0, 10.0, 10 * S + 500 * MS);
        assertThat(clock.ageNs(0, 11 * S)).isEqualTo(S);
        assertThat(clock.arrivedNs(0)).isEqualTo(10 * S + 500 * MS);
    }

    @Test
    void shouldNotCompareTheClocksOfTwoHosts() {
        // The other host was started 20 s later, which on one host would look like reports 20 s old.
        clock.begin(1, true);
        clock.report(1, 10.0, 30 * S);
        assertThat(clock.ageNs(1, 30 * S)).isZero();
        clock.report(1, 11.0, 31 * S + 300 * MS);
        assertThat(clock.ageNs(1, 31 * S + 400 * MS))
                .as("300 ms slower than the quickest")
                .isEqualTo(400 * MS);
        clock.report(1, 12.0, 31 * S + 950 * MS);
        assertThat(clock.ageNs(1, 32 * S)).as("quicker than all before").isEqualTo(50 * MS);
    }

    @Test
    void shouldForgetTheClockOfAFormerIncarnation() {
        clock.begin(1, true);
        clock.report(1, 10.0, 30 * S);
        clock.begin(1, true);
        clock.report(1, 500.0, 40 * S);
        assertThat(clock.ageNs(1, 41 * S)).isEqualTo(S);
    }
}
