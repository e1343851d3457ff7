package dpserve.bench.chaos;

import static org.assertj.core.api.Assertions.assertThat;

import dpserve.controller.LoadView;
import dpserve.controller.RidMap;
import dpserve.controller.decision.DecisionEntry;
import dpserve.controller.policy.RankSnapshot;
import dpserve.controller.policy.RequestInfo;
import org.junit.jupiter.api.Test;

class DecisionCheckTest {
    private static final int LIVE = 1;
    private static final int DEAD = 0;

    private final DecisionCheck check = new DecisionCheck();

    @Test
    void shouldTakeAttemptsThatGoToLiveRanksOnce() {
        decide("a", LIVE);
        decide("b", LIVE);
        decide("b", -1); // no rank had room

        assertThat(check.broken()).isEmpty();
        assertThat(check.decisions()).isEqualTo(2);
    }

    @Test
    void shouldFindADeadRankThatWasChosen() {
        decide("a", DEAD);

        assertThat(check.broken()).singleElement().asString().contains("dp_rank 0", "not live");
    }

    @Test
    void shouldFindAnAttemptThatWasSentTwice() {
        decide("a", LIVE);
        decide("a", LIVE);

        assertThat(check.broken()).singleElement().asString().contains("attempt a", "twice");
    }

    private void decide(String rid, int chosen) {
        LoadView view = new LoadView(new RidMap(), 2);
        view.register(LIVE, 1, 0, 0);
        view.setLive(LIVE, true);
        RequestInfo request =
                new RequestInfo(rid, null, 1, RequestInfo.NO_RANK, RequestInfo.NO_ROOM, null, new long[0], false);
        check.check(new DecisionEntry.Decided(0, request, chosen, RankSnapshot.of(view), new double[2], new double[2]));
    }
}
