package dpserve.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;

import dpserve.io.message.ControllerHello;
import dpserve.io.message.RankDown;
import dpserve.io.message.RankStatus;
import dpserve.io.message.RankUp;
import java.util.Map;
import org.junit.jupiter.api.Test;

class RankStatesTest {
    private final RankStates ranks = new RankStates(2);

    private static RankUp up(int rank, long incarnation) {
        return new RankUp(rank, incarnation, "tcp://127.0.0.1:1", Map.of(), "");
    }

    private void status(int rank, String state) {
        assertThat(ranks.onNews(new RankStatus(null, null, "", rank, state, 0))).isTrue();
    }

    @Test
    void shouldTellDrainingFromDrainedAndFromDown() {
        ranks.onNews(up(0, 5));
        assertThat(ranks.all()).isEqualTo(Map.of(0, "up", 1, "down"));
        status(0, RankStatus.DRAINING);
        assertThat(ranks.all()).containsEntry(0, "draining");
        assertThat(ranks.taking()).isEmpty();
        assertThat(ranks.live()).containsExactly(0);
        assertThat(ranks.in(RankStatus.DRAINING)).containsExactly(0);
        assertThat(ranks.missing()).containsExactly(1);
        status(0, RankStatus.DRAINED);
        assertThat(ranks.in(RankStatus.DRAINED)).containsExactly(0);
        status(0, RankStatus.UP);
        assertThat(ranks.taking()).containsExactly(0);
    }

    @Test
    void shouldGrowWithARankThatCameAndShrinkWithOneThatWasRemoved() {
        ranks.onNews(up(0, 5));
        ranks.onNews(up(1, 5));
        ranks.onNews(up(3, 5));
        assertThat(ranks.dpSize()).isEqualTo(3);
        assertThat(ranks.bound()).isEqualTo(4);
        assertThat(ranks.missing()).isEmpty();
        status(1, RankStatus.REMOVED);
        status(3, RankStatus.REMOVED);
        assertThat(ranks.all()).isEqualTo(Map.of(0, "up"));
        assertThat(ranks.bound()).isEqualTo(1);
        ranks.onNews(up(1, 6));
        assertThat(ranks.live()).containsExactly(0, 1);
    }

    @Test
    void shouldTakeASuccessorForUp() {
        ranks.onNews(up(0, 5));
        status(0, RankStatus.DRAINED);
        ranks.onDown(new RankDown(0, 5, "gone", new String[0]));
        assertThat(ranks.all()).containsEntry(0, "down");
        ranks.onNews(up(0, 6));
        assertThat(ranks.all()).containsEntry(0, "up");
    }

    @Test
    void shouldHearItAllAnewFromAnotherController() {
        ranks.onHello(new ControllerHello(1, 1), 0);
        ranks.onNews(up(0, 5));
        status(0, RankStatus.DRAINED);
        ranks.onHello(new ControllerHello(2, 1), 1);
        ranks.onNews(up(0, 5));
        assertThat(ranks.all()).containsEntry(0, "up");
    }

    @Test
    void shouldLeaveAnAnswerToItsCaller() {
        assertThat(ranks.onNews(new RankStatus("call", null, "", 0, RankStatus.DRAINED, 0)))
                .isFalse();
    }
}
