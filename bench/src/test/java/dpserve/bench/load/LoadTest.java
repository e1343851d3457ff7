package dpserve.bench.load;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dpserve.bench.dataset.DatasetRow;
import dpserve.bench.dataset.Prompt;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

class LoadTest {

    @Test
    void shouldDrawAPoissonProcessFromTheSeed() {
        long[] times = Arrivals.poisson(20_001, 50, 7);

        assertThat(times[0]).isZero();
        assertThat(times)
                .isSorted()
                .isEqualTo(Arrivals.poisson(20_001, 50, 7))
                .isNotEqualTo(Arrivals.poisson(20_001, 50, 8));
        double[] gaps = new double[20_000];
        Arrays.setAll(gaps, i -> (times[i + 1] - times[i]) / 1e9);
        double mean = Arrays.stream(gaps).average().orElseThrow();
        double std = Math.sqrt(
                Arrays.stream(gaps).map(g -> (g - mean) * (g - mean)).average().orElseThrow());
        assertThat(mean).isCloseTo(0.02, within(0.0005));
        assertThat(std / mean).as("1 for exponential gaps").isCloseTo(1, within(0.03));
    }

    @Test
    void shouldKeepTheSameArrivalsWhenOnlyTheirNumberGrows() {
        assertThat(Arrivals.poisson(100, 3, 1)).startsWith(Arrivals.poisson(10, 3, 1));
    }

    @Test
    void shouldSendAllAtOnceAtAnInfiniteRate() {
        assertThat(Arrivals.poisson(5, Double.POSITIVE_INFINITY, 1)).containsOnly(0);
    }

    @Test
    void shouldReplayATraceAtItsSpeed() {
        List<DatasetRow> rows = List.of(row(5000), row(5500), row(9000));

        assertThat(Arrivals.trace(rows, 2)).containsExactly(0, 250_000_000L, 2_000_000_000L);
    }

    private static DatasetRow row(double timestampMs) {
        return new DatasetRow(new Prompt.Text("x"), 1, 1, timestampMs, null);
    }

    @Test
    void shouldMeasureAnOpenLoopFromTheArrivalHoweverLateItIsSent() {
        LoadSchedule s = new LoadSchedule(new long[] {0, 10, 20}, null);

        assertThat(s.next(0)).isZero();
        assertThat(s.next(0)).isEqualTo(LoadSchedule.NONE);
        assertThat(s.nextArrivalNs()).isEqualTo(10);
        assertThat(s.next(25)).isEqualTo(1);
        assertThat(s.intendedNs()).isEqualTo(10);
        assertThat(s.next(25)).isEqualTo(2);
        assertThat(s.intendedNs()).isEqualTo(20);
        assertThat(s.nextArrivalNs()).isEqualTo(Long.MAX_VALUE);
    }

    @Test
    void shouldMeasureAClosedLoopFromTheEndThatFreedTheSlot() {
        LoadSchedule s = new LoadSchedule(new long[5], 2);

        assertThat(List.of(s.next(0), s.next(0), s.next(0))).containsExactly(0, 1, LoadSchedule.NONE);
        s.finished(30);
        s.finished(40);
        assertThat(s.next(50)).isEqualTo(2);
        assertThat(s.intendedNs()).isEqualTo(30);
        assertThat(s.next(50)).isEqualTo(3);
        assertThat(s.intendedNs()).isEqualTo(40);
        assertThat(s.next(50)).isEqualTo(LoadSchedule.NONE);
        s.finished(60);
        s.finished(61);
        assertThat(s.next(62)).isEqualTo(4);
        assertThat(s.isDone()).isFalse();
        s.finished(70);
        assertThat(s.isDone()).isTrue();
    }

    @Test
    void shouldMeasureFromTheArrivalWhereASlotWasFreeThen() {
        LoadSchedule s = new LoadSchedule(new long[] {0, 10, 100}, 2);

        assertThat(s.next(0)).isZero();
        s.finished(15);
        assertThat(s.next(20)).isEqualTo(1);
        assertThat(s.intendedNs()).as("the second slot was never taken").isEqualTo(10);
        s.finished(50);
        assertThat(s.next(100)).isEqualTo(2);
        assertThat(s.intendedNs()).isEqualTo(100);
    }
}
