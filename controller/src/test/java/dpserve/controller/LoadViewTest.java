package dpserve.controller;

import static org.assertj.core.api.Assertions.assertThat;

import dpserve.io.message.GetLoadReqOutput;
import org.junit.jupiter.api.Test;

class LoadViewTest {
    private static final long INCARNATION = 50;

    private final RidMap rids = new RidMap();
    private final LoadView view = new LoadView(rids, 2);

    LoadViewTest() {
        view.register(0, INCARNATION, 0, 0);
        view.setLive(0, true);
    }

    private void dispatch(String rid, int tokens) {
        rids.begin(rid, 0, 0, INCARNATION, tokens);
        view.dispatched(0, tokens);
    }

    /** A report of rank 0 that is consistent: what it received and has not ended is what it holds. */
    private static GetLoadReqOutput report(long incarnation, long seq, long received, long ended, long outputTokens) {
        int held = (int) (received - ended);
        return new GetLoadReqOutput(
                null,
                null,
                0,
                held,
                0,
                held * 10,
                1.0,
                incarnation,
                seq,
                received,
                received * 10,
                ended,
                ended * 10,
                outputTokens,
                held * 10,
                1000,
                0,
                0,
                0);
    }

    @Test
    void shouldNeverLetALateReportEraseADispatch() {
        dispatch("a", 10);
        GetLoadReqOutput early = report(INCARNATION, 1, 1, 0, 3);
        dispatch("b", 10);
        dispatch("c", 10);
        assertThat(view.report(early, 0)).isEqualTo(ReportOutcome.APPLIED);
        assertThat(view.requests(0)).isEqualTo(3);
        assertThat(view.unseenRequests(0)).isEqualTo(2);
        assertThat(view.unseenPromptTokens(0)).isEqualTo(20);
        assertThat(view.tokens(0)).isEqualTo(33);
    }

    @Test
    void shouldCountAnEndOnceWhoeverTellsOfItFirst() {
        dispatch("a", 10);
        dispatch("b", 10);
        view.report(report(INCARNATION, 1, 2, 1, 0), 0);
        assertThat(view.requests(0)).as("the report knows of the end").isEqualTo(1);
        assertThat(view.inFlightRequests(0)).isEqualTo(2);
        rids.end("a");
        assertThat(view.requests(0)).as("so does the worker now").isEqualTo(1);
        rids.end("b");
        assertThat(view.requests(0)).as("the report is late").isZero();
    }

    @Test
    void shouldNotWaitForeverForARequestThatGotLostOnItsWay() {
        dispatch("a", 100);
        view.report(report(INCARNATION, 1, 0, 0, 0), 0);
        assertThat(view.unseenRequests(0)).isEqualTo(1);
        assertThat(view.unseenPromptTokens(0)).isEqualTo(100);
        rids.end("a");
        view.report(report(INCARNATION, 2, 0, 0, 0), 0);
        assertThat(view.unseenRequests(0)).isZero();
        assertThat(view.unseenPromptTokens(0)).isZero();
        dispatch("b", 30);
        assertThat(view.unseenRequests(0)).isEqualTo(1);
        assertThat(view.unseenPromptTokens(0)).as("no more than there is").isEqualTo(30);
        assertThat(view.impossibleCounts()).isZero();
    }

    @Test
    void shouldNotTakeARequestForUnseenThatASilentRankHasEnded() {
        dispatch("a", 100);
        view.report(GetLoadReqOutput.legacy(0, 1, 0, 100, 1.0), 0);
        rids.end("a");
        assertThat(view.unseenPromptTokens(0))
                .as("its reports have no counters")
                .isZero();
    }

    @Test
    void shouldDropWhatIsNotNewer() {
        dispatch("a", 10);
        assertThat(view.report(report(INCARNATION, 5, 1, 0, 7), 0)).isEqualTo(ReportOutcome.APPLIED);
        assertThat(view.report(report(INCARNATION, 5, 1, 0, 9), 0)).isEqualTo(ReportOutcome.STALE);
        assertThat(view.report(report(INCARNATION, 4, 0, 0, 9), 0)).isEqualTo(ReportOutcome.STALE);
        assertThat(view.report(report(INCARNATION - 1, 99, 0, 0, 9), 0)).isEqualTo(ReportOutcome.STALE);
        assertThat(view.report(report(INCARNATION + 1, 1, 0, 0, 9), 0)).isEqualTo(ReportOutcome.UNKNOWN_RANK);
        assertThat(view.report(GetLoadReqOutput.legacy(2, 1, 0, 0, 1), 0)).isEqualTo(ReportOutcome.UNKNOWN_RANK);
        assertThat(view.reportedOutputTokens(0)).isEqualTo(7);
    }

    @Test
    void shouldStartAnewWithTheNextIncarnation() {
        dispatch("a", 10);
        view.report(report(INCARNATION, 5, 1, 0, 7), 0);
        rids.endRank(0, INCARNATION);
        view.retire(0);
        assertThat(view.isLive(0)).isFalse();
        assertThat(view.report(report(INCARNATION, 6, 1, 0, 7), 0)).isEqualTo(ReportOutcome.STALE);
        view.register(0, INCARNATION + 9, 0, 0);
        assertThat(view.requests(0)).isZero();
        assertThat(view.hasReport(0)).isFalse();
        assertThat(view.report(report(INCARNATION + 9, 1, 0, 0, 0), 0)).isEqualTo(ReportOutcome.APPLIED);
    }

    @Test
    void shouldNotCountWhatARestartedControllerDidNotDispatch() {
        view.register(0, INCARNATION + 1, 40, 400);
        dispatch("a", 10);
        view.report(report(INCARNATION + 1, 9, 40, 40, 0), 0);
        assertThat(view.unseenRequests(0)).isEqualTo(1);
        view.report(report(INCARNATION + 1, 10, 41, 40, 0), 0);
        assertThat(view.unseenRequests(0)).isZero();
        assertThat(view.requests(0)).isEqualTo(1);
        assertThat(view.impossibleCounts()).isZero();
    }

    @Test
    void shouldCountFiguresThatCannotBeRight() {
        assertThat(view.report(GetLoadReqOutput.legacy(0, -1, 0, 0, 1), 0)).isEqualTo(ReportOutcome.IMPOSSIBLE);
        assertThat(view.report(report(INCARNATION, 1, 1, 2, 0), 0)).isEqualTo(ReportOutcome.IMPOSSIBLE);
        assertThat(view.hasReport(0)).isFalse();
        dispatch("a", 10);
        assertThat(view.report(report(INCARNATION, 2, 5, 4, 0), 0)).isEqualTo(ReportOutcome.APPLIED);
        assertThat(view.impossibleCounts()).isEqualTo(3);
        assertThat(view.unseenRequests(0)).isZero();
        assertThat(view.requests(0)).isEqualTo(1);
        dispatch("b", 10);
        assertThat(view.unseenRequests(0)).as("recovers").isEqualTo(1);
        assertThat(view.requests(0)).isEqualTo(2);
    }

    @Test
    void shouldTakeLegacyTrafficFromReportsAndDispatches() {
        view.dispatchedLegacy(1, 30);
        view.dispatchedLegacy(1, 30);
        assertThat(view.requests(1)).isEqualTo(2);
        assertThat(view.tokens(1)).isEqualTo(60);
        view.report(GetLoadReqOutput.legacy(1, 1, 0, 45, 1.0), 0);
        view.dispatchedLegacy(1, 30);
        assertThat(view.requests(1)).isEqualTo(2);
        assertThat(view.tokens(1)).isEqualTo(75);
        assertThat(view.report(GetLoadReqOutput.legacy(1, 0, 0, 0, 0.5), 0)).isEqualTo(ReportOutcome.APPLIED);
        assertThat(view.requests(1)).isZero();
    }

    @Test
    void shouldCountALegacyStreamOnARankThatReportsCounters() {
        view.dispatchedLegacy(0, 10);
        view.dispatchedLegacy(0, 10);
        dispatch("a", 10);
        view.report(report(INCARNATION, 1, 2, 1, 4), 0);
        assertThat(view.unseenRequests(0)).isEqualTo(1);
        assertThat(view.requests(0)).isEqualTo(2);
        assertThat(view.tokens(0)).isEqualTo(24);
        assertThat(view.impossibleCounts()).isZero();
    }

    @Test
    void shouldGrowAndCountLiveRanks() {
        view.ensureSlots(1024);
        view.setLive(1023, true);
        view.setLive(1023, true);
        assertThat(view.liveCount()).isEqualTo(2);
        assertThat(view.isLive(1024)).isFalse();
        assertThat(view.isLive(-1)).isFalse();
    }
}
