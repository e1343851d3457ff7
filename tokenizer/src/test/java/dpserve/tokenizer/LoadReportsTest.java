package dpserve.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;

import dpserve.io.LoadReport;
import dpserve.io.message.GetLoadReqOutput;
import dpserve.io.message.WatchLoadUpdateReq;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Queue;
import org.junit.jupiter.api.Test;

/** Loads on their way through a tokenizer worker. */
class LoadReportsTest {
    private final Recorder recorder = new Recorder();
    private final Queue<Runnable> tasks = new ArrayDeque<>();
    private final LoadReports reports = reports(LoadReport.PIGGYBACK, true, 0);

    private LoadReports reports(LoadReport path, boolean polls, long intervalNs) {
        return new LoadReports(path, polls, intervalNs, recorder, tasks::add);
    }

    private static GetLoadReqOutput load(int rank, int numReqs) {
        return GetLoadReqOutput.legacy(rank, numReqs, 1, 100, 1);
    }

    private static GetLoadReqOutput load(int rank, long incarnation, long seq) {
        return new GetLoadReqOutput(
                null, null, rank, 6, 2, 900, 1.0, incarnation, seq, 9, 90, 3, 30, 40, 700, 53_400, 520.5, 0.25, 1);
    }

    private void endOfTick() {
        while (!tasks.isEmpty()) {
            tasks.poll().run();
        }
    }

    private List<WatchLoadUpdateReq> sent() {
        return recorder.sent(WatchLoadUpdateReq.class);
    }

    @Test
    void shouldForwardPiggybackedLoadsOnThatPathAlone() {
        for (LoadReport path : LoadReport.values()) {
            int before = sent().size();
            LoadReports each = reports(path, true, 0);
            each.onPiggybacked(load(0, 4), 0);
            each.onPiggybacked(null, 0);
            endOfTick();
            assertThat(sent()).hasSize(before + (path == LoadReport.PIGGYBACK ? 1 : 0));
            assertThat(each.shouldPoll(0)).isEqualTo(path == LoadReport.WATCH);
        }
    }

    @Test
    void shouldSendTheNewestOfEachRankThatWaitsInOneMessage() {
        reports.onPiggybacked(load(0, 1), 0);
        reports.onPiggybacked(load(1, 2), 0);
        reports.onPiggybacked(load(0, 3), 0);
        assertThat(tasks).as("behind what waits already").hasSize(1);
        assertThat(sent()).isEmpty();
        endOfTick();
        assertThat(sent()).hasSize(1);
        assertThat(sent().get(0).loads()).containsExactly(load(0, 3), load(1, 2));

        reports.onPiggybacked(load(0, 5), 1);
        endOfTick();
        assertThat(sent()).hasSize(2);
        assertThat(sent().get(1).loads()).containsExactly(load(0, 5));
    }

    @Test
    void shouldKeepTheReportWithTheHigherNumberWhicheverCameLast() {
        reports.onPiggybacked(load(0, 7, 12), 0);
        reports.onPiggybacked(load(0, 7, 11), 0);
        endOfTick();
        assertThat(sent().get(0).loads()).containsExactly(load(0, 7, 12));
    }

    @Test
    void shouldNotWeighReportsOfTwoIncarnationsAgainstEachOther() {
        reports.onPiggybacked(load(0, 7, 12), 0);
        reports.onPiggybacked(load(0, 8, 1), 0);
        endOfTick();
        assertThat(sent()).hasSize(2);
        assertThat(sent().get(0).loads()).containsExactly(load(0, 7, 12));
        assertThat(sent().get(1).loads()).containsExactly(load(0, 8, 1));
    }

    @Test
    void shouldSendInBetweenWhenTheLoopIsBusyForLong() {
        reports.onPiggybacked(load(0, 1), 0);
        reports.onPiggybacked(load(0, 2), LoadReports.MAX_WAIT_NS - 1);
        assertThat(sent()).isEmpty();
        reports.onPiggybacked(load(1, 3), LoadReports.MAX_WAIT_NS);
        assertThat(sent()).hasSize(1);
        assertThat(sent().get(0).loads()).containsExactly(load(0, 2), load(1, 3));
        endOfTick();
        assertThat(sent()).as("nothing was left").hasSize(1);
    }

    @Test
    void shouldPollOnlyOneRoundAtATime() {
        long interval = 100_000_000L;
        LoadReports polling = reports(LoadReport.WATCH, true, interval);
        assertThat(polling.shouldPoll(0)).isTrue();
        assertThat(polling.shouldPoll(interval))
                .as("the first round is not answered")
                .isFalse();
        polling.onPolled(List.of(load(0, 4), load(1, 4)));
        assertThat(sent().get(0).loads()).hasSize(2);
        assertThat(polling.shouldPoll(interval - 1)).isFalse();
        assertThat(polling.shouldPoll(interval)).isTrue();
        polling.onPolled(List.of());
        assertThat(polling.sent()).isEqualTo(1);
        assertThat(reports(LoadReport.WATCH, false, interval).shouldPoll(0))
                .as("only one worker polls")
                .isFalse();
    }
}
