package dpserve.controller;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dpserve.controller.policy.DispatchPolicy;
import dpserve.controller.policy.Policies;
import dpserve.controller.policy.RankView;
import dpserve.controller.policy.RequestInfo;
import dpserve.io.LoadReport;
import dpserve.io.message.GetLoadReqOutput;
import dpserve.io.message.GetRequestReq;
import dpserve.io.message.GetRequestReqOutput;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class DecisionHistoryTest {
    private static final String ASKING = Harness.WORKER_ENDPOINT + 0;

    private final List<String> policiesHeard = new ArrayList<>();

    private final DecisionRecorder recorder = new DecisionRecorder() {
        @Override
        public void onPolicy(String method, long nowNs) {
            policiesHeard.add(method + " at " + nowNs);
        }

        @Override
        public void onReport(LoadView view, List<GetLoadReqOutput> loads, long nowNs) {}

        @Override
        public void onDecision(LoadView view, RequestInfo request, DispatchPolicy policy, int chosen, long nowNs) {}
    };

    private static LoadBalance balance(String method) {
        return new LoadBalance(
                new LoadBalance.Setting(method, LoadReport.PIGGYBACK, 0),
                name -> Policies.create(name, new Policies.Settings(1, 1)),
                changed -> {});
    }

    private static Harness started(int ranks, int workers, LoadBalance balance) {
        Harness h = new Harness(ranks, workers, 0, balance);
        for (int w = 0; w < workers; w++) {
            h.workerUp(w, 100 + w);
        }
        for (int r = 0; r < ranks; r++) {
            h.rankUp(r, 50);
        }
        return h;
    }

    private static void send(Harness h, String wireRid) {
        RequestInfo request =
                new RequestInfo(wireRid, ASKING, 30, RequestInfo.NO_RANK, RequestInfo.NO_ROOM, null, false);
        h.controller.onRequest(0, request, new byte[20], h.nowNs);
    }

    private static List<Map<?, ?>> ask(Harness h, String userRid) {
        h.out.takeWorker(0);
        h.controller.onStreamMessage(0, new GetRequestReq("c1", ASKING, userRid), new byte[1], h.nowNs);
        GetRequestReqOutput answer = (GetRequestReqOutput) h.out.takeWorker(0).get(0);
        assertThat(answer.rid()).isEqualTo("c1");
        assertThat(answer.from()).isEqualTo("controller");
        List<Map<?, ?>> decisions = new ArrayList<>();
        ((List<?>) answer.found().get("decisions")).forEach(d -> decisions.add((Map<?, ?>) d));
        return decisions;
    }

    private static Map<?, ?> rank(Map<?, ?> decision, int index) {
        return (Map<?, ?>) ((List<?>) decision.get("ranks")).get(index);
    }

    @Test
    void shouldTellWhatWasSeenAtEachAttempt() {
        Harness h = started(2, 1, balance("least_requests"));
        send(h, "a\u001f100.0.0");
        send(h, "ab\u001f100.1.0");
        h.nowNs += 5 * Harness.MS;
        send(h, "a\u001f100.0.1");
        List<Map<?, ?>> decisions = ask(h, "a");
        assertThat(decisions)
                .extracting(d -> String.valueOf(d.get("rid")))
                .containsExactly("a\u001f100.0.0", "a\u001f100.0.1");
        Map<?, ?> second = decisions.get(1);
        assertThat(second.get("at")).isEqualTo(h.nowNs / 1e9);
        assertThat(second.get("load_balance_method")).isEqualTo("least_requests");
        int chosen = ((Long) second.get("dp_rank")).intValue();
        assertThat(rank(second, chosen).get("num_reqs")).isEqualTo(1L);
        assertThat(rank(second, chosen).get("num_tokens")).isEqualTo(30L);
        assertThat(rank(second, chosen).get("unseen_reqs")).isEqualTo(1L);
        assertThat(rank(second, chosen).get("score")).isEqualTo(1.0);
        assertThat(rank(second, chosen).containsKey("load_age_ms")).isFalse();
        assertThat(ask(h, "never")).isEmpty();
    }

    @Test
    void shouldShowTheChosenRankAmongVeryMany() {
        DispatchPolicy last = (RankView ranks, RequestInfo request) -> ranks.slots() - 1;
        Harness h = started(70, 1, LoadBalance.of(last));
        send(h, "a\u001f100.0.0");
        Map<?, ?> decision = ask(h, "a").get(0);
        assertThat((List<?>) decision.get("ranks")).hasSize(DecisionHistory.MAX_RANKS);
        assertThat(decision.get("dp_rank")).isEqualTo(69L);
        assertThat(rank(decision, 62).get("dp_rank")).isEqualTo(62L);
        assertThat(rank(decision, 63).get("dp_rank")).isEqualTo(69L);
    }

    @Test
    void shouldTellHowOldTheLoadWas() {
        Harness h = started(1, 1, balance("least_requests"));
        h.controller.onReports(List.of(GetLoadReqOutput.legacy(0, 0, 0, 0, h.nowNs / 1e9)), h.nowNs);
        h.nowNs += 25 * Harness.MS;
        String longRid = "a".repeat(300);
        send(h, longRid + "\u001f100.0.0");
        assertThat((Double) rank(ask(h, longRid).get(0), 0).get("load_age_ms")).isCloseTo(25, within(0.01));
    }

    @Test
    void shouldKeepDecisionsAboutRequestsWithoutRid() {
        Harness h = new Harness(1, 1, 0, balance("round_robin"));
        h.rankUp(0, 50);
        h.controller.onRequest(1, Harness.info(null, 10), new byte[20], h.nowNs);
        h.workerUp(0, 100);
        assertThat(ask(h, GetRequestReq.NEWEST)).hasSize(1).noneMatch(d -> d.get("rid") != null);
        assertThat(ask(h, "a")).isEmpty();
    }

    @Test
    void shouldForgetTheOldest() {
        Harness h = started(2, 1, balance("round_robin"));
        for (int i = 0; i <= DecisionHistory.SIZE; i++) {
            h.nowNs += DecisionHistory.NS_PER_DECISION;
            String rid = "r" + i + "\u001f100." + i + ".0";
            send(h, rid);
            h.end(0, rid);
        }
        assertThat(ask(h, "r0")).isEmpty();
        assertThat(ask(h, "r1")).hasSize(1);
        assertThat(ask(h, "r" + DecisionHistory.SIZE)).hasSize(1);
    }

    @Test
    void shouldReachBackASecondHoweverMuchIsDecided() {
        Harness h = started(2, 1, balance("round_robin"));
        int perStep = 10;
        int steps = 3 * DecisionHistory.SIZE;
        for (int i = 0; i < steps * perStep; i++) {
            h.nowNs += i % perStep == 0 ? DecisionHistory.NS_PER_DECISION : 0;
            String rid = "r" + i + "\u001f100." + i + ".0";
            send(h, rid);
            h.end(0, rid);
        }
        int newestStep = (steps - 1) * perStep;
        assertThat(ask(h, "r" + newestStep)).hasSize(1);
        assertThat(ask(h, "r" + (newestStep + 1))).isEmpty();
        assertThat(ask(h, "r" + (newestStep - (DecisionHistory.SIZE - 1) * perStep)))
                .hasSize(1);
    }

    @Test
    void shouldTellTheNewestOfAUsersRidThatWasUsedVeryOften() {
        Harness h = started(2, 1, balance("round_robin"));
        for (int i = 0; i < 200; i++) {
            send(h, "again\u001f100." + 2 * i + ".0");
            send(h, "other\u001f100." + (2 * i + 1) + ".0");
        }
        List<String> newest = IntStream.range(100, 200)
                .mapToObj(i -> "again\u001f100." + 2 * i + ".0")
                .toList();
        assertThat(ask(h, "again"))
                .extracting(d -> String.valueOf(d.get("rid")))
                .containsExactlyElementsOf(newest);
    }

    @Test
    void shouldNotCountTimeTwiceThatIsGivenAgainAfterALaterOne() {
        Harness h = started(2, 1, balance("round_robin"));
        for (int i = 0; i < DecisionHistory.SIZE; i++) {
            String rid = "r" + i + "\u001f100." + i + ".0";
            send(h, rid);
            h.end(0, rid);
        }
        long earlierNs = h.nowNs;
        for (int i = 0; i < 100; i++) {
            h.nowNs = i % 2 == 0 ? earlierNs + 5 * DecisionHistory.NS_PER_DECISION : earlierNs;
            String rid = "late\u001f100." + (DecisionHistory.SIZE + i) + ".0";
            send(h, rid);
            h.end(0, rid);
        }
        assertThat(ask(h, "late")).hasSize(5);
    }

    @Test
    void shouldTellTheNewestFirst() {
        Harness h = started(2, 1, balance("round_robin"));
        assertThat(ask(h, GetRequestReq.NEWEST)).isEmpty();
        send(h, "a\u001f100.0.0");
        send(h, "b\u001f100.1.0");
        assertThat(ask(h, GetRequestReq.NEWEST))
                .extracting(d -> String.valueOf(d.get("rid")))
                .containsExactly("b\u001f100.1.0", "a\u001f100.0.0");
        for (int i = 0; i < DecisionHistory.NEWEST; i++) {
            send(h, "c" + i + "\u001f100." + (2 + i) + ".0");
        }
        assertThat(ask(h, GetRequestReq.NEWEST))
                .hasSize(DecisionHistory.NEWEST)
                .noneMatch(d -> String.valueOf(d.get("rid")).startsWith("b"));
    }

    @Test
    void shouldAskTheOtherWorkers() {
        Harness h = started(1, 3, balance("round_robin"));
        h.out.takeWorker(1);
        h.out.takeWorker(2);
        assertThat(ask(h, "a")).isEmpty();
        assertThat(h.out.takeWorker(1)).hasSize(1);
        assertThat(h.out.takeWorker(2)).hasSize(1);
    }

    @Test
    void shouldTellTheRecordOfItsPolicyOnce() {
        LoadBalance balance = balance("round_robin");
        balance.recordTo(recorder, 7);
        started(1, 1, balance);
        assertThat(policiesHeard).containsExactly("round_robin at 7");
    }
}
