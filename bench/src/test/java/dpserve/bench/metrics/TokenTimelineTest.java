package dpserve.bench.metrics;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class TokenTimelineTest {
    private static final long MS = 1_000_000;

    private final TokenTimeline timeline = new TokenTimeline();

    @Test
    void shouldShareAChunksGapAmongItsTokens() {
        timeline.text(100 * MS, 1);
        timeline.text(130 * MS, 2);
        timeline.text(190 * MS, 5);

        assertThat(timeline.firstNs()).isEqualTo(100 * MS);
        assertThat(timeline.itlS()).containsExactly(0.030, 0.020, 0.020, 0.020);
    }

    @Test
    void shouldLeaveNoGapForTheFirstChunkHoweverManyTokensItHas() {
        timeline.text(50 * MS, 4);
        timeline.text(60 * MS, 5);

        assertThat(timeline.itlS()).containsExactly(0.010);
    }

    @Test
    void shouldPassTheTimeOfAChunkWithoutTokensIntoTheNext() {
        timeline.text(10 * MS, 1);
        timeline.text(30 * MS, 1);
        timeline.text(40 * MS, 2);

        assertThat(timeline.itlS()).containsExactly(0.030);
    }

    @Test
    void shouldCountAnOpenAiChunkAsOneToken() {
        timeline.chunk(10 * MS);
        timeline.chunk(30 * MS);
        timeline.chunk(70 * MS);

        assertThat(timeline.itlS()).containsExactly(0.020, 0.040);
    }

    @Test
    void shouldKeepEveryGapOfALongReply() {
        for (int i = 1; i <= 1000; i++) {
            timeline.text(i * MS, i);
        }

        assertThat(timeline.itlS()).hasSize(999).containsOnly(0.001);
    }
}
