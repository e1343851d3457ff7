package dpserve.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;

class StagesTest {
    private static final double MS = 1e-3;

    @Test
    void shouldGiveEachStageItsTime() {
        double[] stamps = {10.003, 10.004, 10.010, 10.060, 11.060, 11.062};
        assertThat(Stages.of(10, 10.001, stamps, 11.065).seconds())
                .containsExactly(
                        new double[] {1 * MS, 2 * MS, 1 * MS, 6 * MS, 50 * MS, 1, 2 * MS, 3 * MS}, within(1e-9));
        assertThat(Stages.NAMES).hasSize(8);
    }

    @Test
    void shouldGiveTheRestToTheStageThatDidNotEnd() {
        double[] midDecode = {10.003, 10.004, 10.010, 10.060, 0, 10.062};
        Stages stages = Stages.of(10, 10.001, midDecode, 12);
        assertThat(Stages.NAMES.get(stages.current())).isEqualTo("decode");
        assertThat(stages.seconds())
                .containsExactly(new double[] {1 * MS, 2 * MS, 1 * MS, 6 * MS, 50 * MS, 1.94, 0, 0}, within(1e-9));
        Stages unknown = Stages.of(10, 10.001, new double[6], 12);
        assertThat(Stages.NAMES.get(unknown.current())).isEqualTo("dispatch");
        assertThat(unknown.seconds()[1]).isCloseTo(1.999, within(1e-9));
    }

    @Test
    void shouldAddUpWhateverTheStamps() {
        Random random = new Random(3);
        for (int i = 0; i < 1000; i++) {
            double[] stamps = random.doubles(6, -1, 3).map(x -> x < 0 ? 0 : x).toArray();
            double[] seconds = Stages.of(0.5, 0.6, stamps, 2).seconds();
            assertThat(Arrays.stream(seconds).sum()).isCloseTo(1.5, within(1e-9));
            assertThat(Arrays.stream(seconds).min().orElseThrow()).isNotNegative();
        }
    }

    @Test
    void shouldTrustClocksThatContradictNothing() {
        ClockOffset clock = new ClockOffset();
        clock.observe(1.000, 1.010, 1.500, 1.501);
        assertThat(clock.offsetS()).isZero();
    }

    @Test
    void shouldFindTheOffsetOfAnotherHostWithinHalfARoundTrip() {
        ClockOffset clock = new ClockOffset();
        Random random = new Random(5);
        double offset = -42.5;
        for (int i = 0; i < 200; i++) {
            double there = 0.001 + random.nextDouble() * 0.05;
            double back = 0.001 + random.nextDouble() * 0.05;
            double sent = i;
            double arrived = sent + there + 0.3 + back;
            clock.observe(sent, sent + there + offset, sent + there + 0.3 + offset, arrived);
        }
        assertThat(clock.offsetS()).isCloseTo(offset, within(0.002));
    }

    @Test
    void shouldBeginAnewWhenAClockWasSet() {
        ClockOffset clock = new ClockOffset();
        clock.observe(1, 6, 7, 3);
        assertThat(clock.offsetS()).isCloseTo(4.5, within(0.6));
        clock.observe(11, 11.1, 11.9, 12);
        assertThat(clock.offsetS()).isZero();
    }
}
