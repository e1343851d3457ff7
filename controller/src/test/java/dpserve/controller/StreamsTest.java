package dpserve.controller;

import static dpserve.controller.Harness.WORKER_ENDPOINT;
import static dpserve.controller.Harness.info;
import static dpserve.controller.Harness.workerHello;
import static org.assertj.core.api.Assertions.assertThat;

import dpserve.controller.policy.DispatchPolicy;
import dpserve.controller.policy.RankView;
import dpserve.controller.policy.RequestInfo;
import dpserve.io.message.AbortReq;
import dpserve.io.message.FinishReason;
import dpserve.io.message.FlushCacheReqInput;
import dpserve.io.message.GetInternalStateReq;
import dpserve.io.message.GetInternalStateReqOutput;
import dpserve.io.message.GetLoadReqInput;
import dpserve.io.message.GetLoadReqOutput;
import dpserve.io.message.Hello;
import dpserve.io.message.WatchLoadUpdateReq;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class StreamsTest {
    private final Harness h = new Harness(2, 2);
    private final byte[] frame = {4, 2};

    private void allUp() {
        h.rankUp(0, 50);
        h.rankUp(1, 51);
        h.workerUp(0, 100);
        h.workerUp(1, 101);
        h.out.clear();
    }

    private void abort(int stream, AbortReq abort) {
        h.controller.onStreamMessage(stream, abort, frame, h.nowNs);
    }

    @Test
    void shouldAbortAnAttemptOnTheRankThatHasIt() {
        allUp();
        h.request(0, "a");
        String rid = h.request(0, "b");
        h.out.clear();
        abort(0, AbortReq.of(rid, WORKER_ENDPOINT + 0));
        assertThat(h.out.takeRank(1)).containsExactly(frame);
        assertThat(h.out.takeRank(0)).isEmpty();
        assertThat(h.controller.rids().contains(rid))
                .as("until its end arrives")
                .isTrue();
    }

    @Test
    void shouldExpandAUsersRidInTheNameOfEachOwner() {
        allUp();
        String first = h.request(1, "a");
        String second = h.request(1, "a");
        h.request(0, "ab");
        h.out.clear();
        abort(0, AbortReq.of("a", WORKER_ENDPOINT + 0));
        assertThat(h.out.takeRank(0)).containsExactly(AbortReq.of(first, WORKER_ENDPOINT + 1));
        assertThat(h.out.takeRank(1)).containsExactly(AbortReq.of(second, WORKER_ENDPOINT + 1));
    }

    @Test
    void shouldEndHeldRequestsAsASchedulerWould() {
        h.workerUp(0, 100);
        h.workerUp(1, 101);
        String first = h.request(0, "a");
        String second = h.request(0, "b");
        String third = h.request(0, "c");
        h.out.clear();
        abort(0, AbortReq.of(first, WORKER_ENDPOINT + 0));
        abort(1, AbortReq.of("b", WORKER_ENDPOINT + 1));
        abort(1, new AbortReq("", WORKER_ENDPOINT + 1, true, null, null));
        List<AbortReq> told = h.out.takeWorker(0, AbortReq.class);
        assertThat(told).extracting(AbortReq::rid).containsExactly(first, second, third);
        assertThat(told.get(0).finishedReason())
                .isEqualTo(new FinishReason.Abort("Abort in waiting queue", null, null));
        assertThat(h.controller.heldRequests()).isZero();
    }

    @Test
    void shouldTakeAbortAllAndUnknownRidsToEveryRank() {
        allUp();
        abort(0, new AbortReq("", WORKER_ENDPOINT + 0, true, null, null));
        abort(0, AbortReq.of("gone\u001f100.1.0", WORKER_ENDPOINT + 0));
        abort(0, AbortReq.of("gone", WORKER_ENDPOINT + 0));
        abort(2, AbortReq.of("legacy", null));
        assertThat(h.out.takeRank(0)).hasSize(4);
        assertThat(h.out.takeRank(1)).hasSize(4);
        abort(0, AbortReq.of("", WORKER_ENDPOINT + 0));
        abort(2, AbortReq.of("", null));
        assertThat(h.out.takeRank(0))
                .as("SGLang would end everything by prefix")
                .isEmpty();
    }

    @Test
    void shouldBroadcastControlCallsAsTheyCame() {
        allUp();
        h.controller.onStreamMessage(0, new FlushCacheReqInput("c", WORKER_ENDPOINT + 0, 0.0), frame, h.nowNs);
        h.controller.onUnknownTag(0, "PauseGenerationReqInput", frame);
        h.controller.onUnknownTag(0, "NoSuchMessage", frame);
        assertThat(h.out.takeRank(0)).containsExactly(frame, frame);
        assertThat(h.out.takeRank(1)).containsExactly(frame, frame);
        assertThat(h.limiter.totals()).containsEntry("unknown_tag", 1L);
    }

    @Test
    void shouldAskNoLegacyRankForItsLoadBecauseThatEndsSglangsScheduler() {
        Harness mixed = new Harness(2, 1, 1, "round_robin");
        mixed.workerUp(0, 100);
        mixed.controller.onLegacyConnection(0, true, mixed.nowNs);
        mixed.rankUp(1, 1);
        mixed.out.takeRank(1);
        mixed.controller.onStreamMessage(0, new GetLoadReqInput("c", WORKER_ENDPOINT + 0), frame, mixed.nowNs);
        assertThat(mixed.out.takeRank(0)).isEmpty();
        assertThat(mixed.out.takeRank(1)).containsExactly(frame);
    }

    @Test
    void shouldAnswerForItselfAndAskEverybodyElse() {
        allUp();
        h.request(0, "a");
        h.out.clear();
        h.controller.onStreamMessage(1, new GetInternalStateReq("call", WORKER_ENDPOINT + 1), frame, h.nowNs);
        assertThat(h.out.takeRank(0)).containsExactly(frame);
        assertThat(h.out.takeRank(1)).containsExactly(frame);
        assertThat(h.out.takeWorker(0)).containsExactly(frame);
        GetInternalStateReqOutput own =
                h.out.takeWorker(1, GetInternalStateReqOutput.class).get(0);
        assertThat(own.rid()).isEqualTo("call");
        assertThat(own.internalState())
                .containsEntry("role", "controller")
                .containsEntry("index", 0L)
                .containsEntry("pid", 4711L)
                .containsEntry("incarnation", Harness.EPOCH)
                .containsEntry("tables", Map.of("rid_map", 1L, "held_requests", 0L, "held_bytes", 0L));
        assertThat((Map<?, ?>) own.internalState().get("counters"))
                .hasFieldOrPropertyWithValue("requests", 1L)
                .hasFieldOrPropertyWithValue("forwarded", 1L);
        assertThat((List<?>) own.internalState().get("ranks")).hasSize(2);
    }

    @Test
    void shouldForwardAnswersOnlyToAnnouncedWorkers() {
        allUp();
        h.controller.onStreamMessage(
                0, new GetInternalStateReqOutput("call", WORKER_ENDPOINT + 1, Map.of()), frame, h.nowNs);
        h.controller.onStreamMessage(
                0, new GetInternalStateReqOutput("call", "tcp://10.0.0.1:99", Map.of()), frame, h.nowNs);
        h.controller.onStreamMessage(0, new GetInternalStateReqOutput("call", null, Map.of()), frame, h.nowNs);
        assertThat(h.out.takeWorker(1)).containsExactly(frame);
        assertThat(h.count(Count.UNKNOWN_HTTP_WORKER_IPC)).isEqualTo(2);
    }

    @Test
    void shouldAbortWhatADeadWorkerLeftBehind() {
        allUp();
        String orphan = h.request(0, "a");
        String other = h.request(1, "b");
        h.out.clear();
        h.controller.onDirectMessage(workerHello(0, 200), h.nowNs);
        assertThat(h.out.takeRank(0)).containsExactly(AbortReq.of(orphan, WORKER_ENDPOINT + 0));
        assertThat(h.controller.rids().contains(orphan)).isFalse();
        assertThat(h.controller.rids().contains(other)).isTrue();

        h.request(0, "still in the old stream");
        assertThat(h.count(Count.STALE_STREAM_FRAMES)).isEqualTo(1);
        assertThat(h.controller.rids().size()).isEqualTo(1);
        h.workerUp(0, 200);
        h.request(0, "from the successor");
        assertThat(h.controller.rids().size()).isEqualTo(2);
    }

    @Test
    void shouldKnowAJavaStreamByItsWorkersHelloElsewhere() {
        h.rankUp(0, 50);
        h.controller.onDirectMessage(workerHello(0, 100), h.nowNs);
        h.request(0, "a");
        assertThat(h.controller.rids().size()).isEqualTo(1);
    }

    @Test
    void shouldLearnTheWorkerOfAnInputFromItsHello() {
        h.rankUp(0, 50);
        h.inStream(2, workerHello(3, 103));
        h.request(2, "a");
        assertThat(h.out.workerConnections).containsEntry(3, WORKER_ENDPOINT + 3);
        assertThat(h.controller.rids().endWorker(3)).hasSize(1);
    }

    @Test
    void shouldDropHellosOfSomebodyElse() {
        h.inStream(0, workerHello(1, 100));
        h.inStream(0, Harness.rankHello(0, 100));
        h.inStream(2, workerHello(47, 100));
        assertThat(h.limiter.totals()).containsEntry("bad_hello", 3L);
        assertThat(h.out.workerConnections).isEmpty();
    }

    @Test
    void shouldTakeAMovedWorkersEndpointFromItsHello() {
        Hello moved = new Hello(
                dpserve.io.message.Role.TOKENIZER,
                0,
                100,
                Map.of(Hello.PULL, "tcp://127.0.0.1:9999"),
                Hello.PROTOCOL_VERSION,
                1,
                Map.of(),
                new String[0]);
        h.inStream(0, moved);
        assertThat(h.out.workerConnections).containsEntry(0, "tcp://127.0.0.1:9999");
    }

    @Test
    void shouldShowThePolicyOnlyReportsThatAreNewer() {
        List<Long> seen = new ArrayList<>();
        DispatchPolicy listening = new DispatchPolicy() {
            @Override
            public int choose(RankView ranks, RequestInfo request) {
                return 0;
            }

            @Override
            public void onReport(RankView ranks, List<GetLoadReqOutput> loads) {
                loads.forEach(l -> seen.add(l.seq()));
            }
        };
        Harness l = new Harness(1, 1, 0, listening);
        l.rankUp(0, 50);
        for (long seq : new long[] {1, 3, 2, 3, 4, 1}) {
            l.inStream(0, new WatchLoadUpdateReq(null, null, List.of(report(50, seq))));
        }
        l.inStream(0, new WatchLoadUpdateReq(null, null, List.of(report(49, 9), report(50, 5), report(50, 5))));
        assertThat(seen).containsExactly(1L, 3L, 4L, 5L);
        assertThat(l.count(Count.REPORTS_STALE)).isEqualTo(5);
    }

    @Test
    void shouldCountFiguresThatCannotBeRight() {
        allUp();
        h.inStream(0, new WatchLoadUpdateReq(null, null, List.of(GetLoadReqOutput.legacy(0, -1, 0, 0, 1.0))));
        assertThat(h.count(Count.REPORTS_IMPOSSIBLE)).isEqualTo(1);
        assertThat(h.limiter.totals()).containsEntry("impossible_count", 1L);
    }

    private static GetLoadReqOutput report(long incarnation, long seq) {
        return new GetLoadReqOutput(null, null, 0, 0, 0, 0, 1.0, incarnation, seq, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
    }

    @Test
    void shouldRescueARequestFromAPolicyThatChoosesADeadRank() {
        Harness wrong = new Harness(2, 1, 0, (ranks, request) -> 1);
        wrong.rankUp(0, 50);
        wrong.workerUp(0, 100);
        wrong.request(0, info("a\u001f100.1.0", 1));
        assertThat(wrong.controller.view().requests(0)).isEqualTo(1);
        assertThat(wrong.count(Count.POLICY_CHOSE_DEAD_RANK)).isEqualTo(1);
    }
}
