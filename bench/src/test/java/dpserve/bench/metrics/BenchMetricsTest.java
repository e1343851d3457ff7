package dpserve.bench.metrics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dpserve.bench.metrics.RequestOutcome.Ending;
import java.util.List;
import org.junit.jupiter.api.Test;

class BenchMetricsTest {
    private final List<RequestOutcome> outcomes = List.of(
            Outcomes.ok(0, 0.0, 0.5, 1.5, 0.25, 0.25, 0.25, 0.25),
            Outcomes.ok(1, 0.2, 0.3, 2.1, 0.9, 0.9),
            Outcomes.ok(2, 1.0, 0.4, 0.4),
            Outcomes.failed(3, Ending.FAILED, "busy"));

    @Test
    void shouldCountThroughputOverTheDuration() {
        BenchMetrics m = BenchMetrics.of(outcomes, 4.0, o -> 100, text -> 7);

        assertThat(m.completed()).isEqualTo(3);
        assertThat(m.totalInput()).isEqualTo(300);
        assertThat(m.totalOutput()).isEqualTo(5 + 3 + 1);
        assertThat(m.totalOutputRetokenized()).isEqualTo(21);
        assertThat(m.requestThroughput()).isEqualTo(0.75);
        assertThat(m.inputThroughput()).isEqualTo(75);
        assertThat(m.outputThroughput()).isEqualTo(2.25);
        assertThat(m.totalThroughput()).isEqualTo(77.25);
        assertThat(m.concurrency()).isCloseTo((1.5 + 2.1 + 0.4) / 4, within(1e-12));
    }

    @Test
    void shouldLeaveSingleTokenRepliesOutOfTpotAndFailedRequestsOutOfAll() {
        BenchMetrics m = BenchMetrics.of(outcomes, 4.0, o -> 100, text -> 7);

        assertThat(m.tpotMs().mean()).isCloseTo((250 + 900) / 2.0, within(1e-9));
        assertThat(m.ttftMs().mean()).isCloseTo(400, within(1e-9));
        assertThat(m.e2eMs().median()).isCloseTo(1500, within(1e-9));
        assertThat(m.itlMs().mean()).isCloseTo((4 * 250 + 2 * 900) / 6.0, within(1e-9));
        assertThat(m.itlMs().max()).isCloseTo(900, within(1e-9));
    }

    @Test
    void shouldFindThePeaksOfSecondsCountedFromTheFirstStart() {
        BenchMetrics m = BenchMetrics.of(outcomes, 4.0, o -> 100, text -> 7);

        // Second 0: tokens at 0.5, 0.75 and 0.5; second 1: 1.0, 1.25, 1.5, 1.4 and 1.4.
        assertThat(m.peakOutputTokensPerS()).isEqualTo(5);
        assertThat(m.peakConcurrentRequests()).isEqualTo(3);
    }

    @Test
    void shouldGiveZerosWhenNothingSucceeded() {
        BenchMetrics m = BenchMetrics.of(List.of(Outcomes.failed(0, Ending.LOST, "gone")), 2.0, o -> 100, text -> 7);

        assertThat(m.completed()).isZero();
        assertThat(m.e2eMs().mean()).isZero();
        assertThat(m.peakConcurrentRequests()).isZero();
    }

    @Test
    void shouldInterpolatePercentilesAsNumPyDoes() {
        // numpy.percentile([1, 2, 4, 8, 16], [50, 90, 95, 99]) and numpy.std of the same.
        Distribution d = Distribution.of(new double[] {16, 1, 8, 2, 4}, 1);

        assertThat(d.median()).isEqualTo(4);
        assertThat(d.p90()).isCloseTo(12.8, within(1e-9));
        assertThat(d.p95()).isCloseTo(14.4, within(1e-9));
        assertThat(d.p99()).isCloseTo(15.68, within(1e-9));
        assertThat(d.std()).isCloseTo(5.455, within(1e-3));
    }

    @Test
    void shouldCountAsGoodOnlyWhatMeetsEveryObjective() {
        Goodput g = Goodput.of(outcomes, Goodput.parse(List.of("ttft:450", "tpot:500")), 4.0);

        assertThat(g.requestGoodput()).isEqualTo(0.25);
        assertThat(g.attainment()).isEqualTo(0.25);
        assertThat(g.attainmentByMetric()).containsEntry("ttft", 0.5).containsEntry("tpot", 0.5);
    }

    @Test
    void shouldRefuseAnObjectiveThatIsNoneOrHasNoLimit() {
        for (String wrong : List.of("itl:5", "ttft", "ttft:", "ttft:-1", "tpot:inf")) {
            assertThatThrownBy(() -> Goodput.parse(List.of(wrong)))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("--goodput")
                    .hasMessageContaining(wrong);
        }
    }

    @Test
    void shouldSayWhenTheClientItselfLimitsTheResult() {
        double[] late = {0, 1, 2, 900};

        assertThat(ClientHealth.of(late, 1, 2, 0.3, 10, 100).limit()).contains("send lag");
        assertThat(ClientHealth.of(late, 1, 2, 0.3, 10, 100_000).limit()).isNull();
        assertThat(ClientHealth.of(new double[] {0, 1}, 50, 80, 0.3, 10, 100).limit())
                .contains("event-loop lag");
        assertThat(ClientHealth.of(new double[] {0, 1}, 1, 2, 0.95, 10, 100).limit())
                .contains("busy 95 %");
    }
}
