package dpserve.controller;

import static org.assertj.core.api.Assertions.assertThat;

import dpserve.controller.policy.DispatchPolicy;
import dpserve.controller.policy.Policies;
import dpserve.io.LoadReport;
import dpserve.io.message.LoadBalanceState;
import dpserve.io.message.SetLoadBalance;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class LoadBalanceTest {
    private final List<LoadBalance.Setting> changes = new ArrayList<>();
    private final LoadBalance balance = new LoadBalance(
            new LoadBalance.Setting("round_robin", LoadReport.PIGGYBACK, 0),
            method -> Policies.create(method, new Policies.Settings(1, 1)),
            changes::add);
    private final Harness h = new Harness(2, 2, 0, balance);

    private List<Object> call(int worker, String method, String report, Double delayMs) {
        h.controller.onStreamMessage(
                worker,
                new SetLoadBalance("c1", "tcp://127.0.0.1:7000", method, report, delayMs),
                new byte[1],
                h.nowNs);
        return h.out.takeWorker(worker);
    }

    private static LoadBalanceState state(String rid, String error, String method, String report, double delayMs) {
        return new LoadBalanceState(rid, rid == null ? null : "tcp://127.0.0.1:7000", error, method, report, delayMs);
    }

    private void start() {
        h.workerUp(0, 100);
        h.workerUp(1, 101);
        h.rankUp(0, 50);
        h.rankUp(1, 51);
        h.out.takeWorker(0);
        h.out.takeWorker(1);
        h.out.takeRank(0);
        h.out.takeRank(1);
    }

    @Test
    void shouldTellEveryoneOfAChangeAndTheCallerThatItIsDone() {
        start();
        LoadBalanceState now = state(null, "", "least_requests", "direct", 5);
        assertThat(call(1, "least_requests", "direct", 5.0))
                .containsExactly(now, state("c1", "", "least_requests", "direct", 5));
        assertThat(h.out.takeWorker(0)).containsExactly(now);
        assertThat(h.out.takeRank(0)).containsExactly(now);
        assertThat(h.out.takeRank(1)).containsExactly(now);
        assertThat(changes).containsExactly(new LoadBalance.Setting("least_requests", LoadReport.DIRECT, 5));
    }

    @Test
    void shouldLeaveWhatIsNotNamedAndAnswerAQuestion() {
        start();
        call(0, null, null, 7.0);
        h.out.takeWorker(1);
        assertThat(call(0, null, null, null)).containsExactly(state("c1", "", "round_robin", "piggyback", 7));
        assertThat(h.out.takeWorker(1)).isEmpty();
    }

    @Test
    void shouldChangeNothingIfOneFieldIsWrong() {
        start();
        assertThat(call(0, "least_requests", "pigeon", 1.0))
                .containsExactly(state(
                        "c1",
                        "report must be one of watch, piggyback, accounting, direct",
                        "round_robin",
                        "piggyback",
                        0));
        assertThat(((LoadBalanceState) call(0, "no_such", null, null).get(0)).error())
                .contains("load_balance_method", "least_requests");
        assertThat(((LoadBalanceState) call(0, null, null, Double.NaN).get(0)).error())
                .isEqualTo("delay_ms must be 0 to 86400000");
        assertThat(changes).isEmpty();
    }

    @Test
    void shouldIntroduceTheChangeToALateWorkerAndRank() {
        h.workerUp(0, 100);
        h.rankUp(0, 50);
        call(0, "vllm", null, null);
        LoadBalanceState now = state(null, "", "vllm", "piggyback", 0);
        h.workerUp(1, 101);
        h.rankUp(1, 51);
        assertThat(h.out.takeWorker(1)).contains(now);
        assertThat(h.out.takeRank(1)).contains(now);
    }

    @Test
    void shouldDispatchByTheNewPolicyWithTheCountsOfTheOld() {
        DispatchPolicy fixed = (ranks, request) -> 1;
        LoadBalance swapped = new LoadBalance(
                new LoadBalance.Setting("one", LoadReport.ACCOUNTING, 0),
                method -> "one".equals(method) ? fixed : Policies.create(method, new Policies.Settings(1, 1)),
                changes::add);
        Harness other = new Harness(2, 1, 0, swapped);
        other.workerUp(0, 100);
        other.rankUp(0, 50);
        other.rankUp(1, 51);
        other.request(0, "u");
        other.request(0, "u");
        assertThat(other.controller.view().inFlightRequests(1)).isEqualTo(2);
        other.controller.onStreamMessage(
                0, new SetLoadBalance("c", null, "least_requests", null, null), new byte[1], other.nowNs);
        other.request(0, "u");
        other.request(0, "u");
        assertThat(other.controller.view().inFlightRequests(0)).isEqualTo(2);
    }
}
