package dpserve.controller.process;

import static dpserve.controller.process.LiveController.figure;
import static org.assertj.core.api.Assertions.assertThat;

import dpserve.controller.process.LiveController.Rank;
import dpserve.controller.process.LiveController.Worker;
import dpserve.io.WireRid;
import dpserve.io.message.AbortReq;
import dpserve.io.message.BatchTokenizedGenerateReqInput;
import dpserve.io.message.ControllerHello;
import dpserve.io.message.EndNotice;
import dpserve.io.message.FlushCacheReqInput;
import dpserve.io.message.GetInternalStateReq;
import dpserve.io.message.GetLoadReqOutput;
import dpserve.io.message.RankDown;
import dpserve.io.message.RankUp;
import dpserve.io.message.Refused;
import dpserve.io.message.SamplingParams;
import dpserve.io.message.TokenizedGenerateReqInput;
import dpserve.io.message.WatchLoadUpdateReq;
import dpserve.io.socket.PullSocket;
import dpserve.io.socket.PushSocket;
import dpserve.io.socket.SocketLimits;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class ControllerProcessTest {

    private static TokenizedGenerateReqInput request(Worker worker, String user, long n) {
        String rid = new WireRid(user, worker.incarnation, n, 0).toString();
        return TokenizedGenerateReqInput.of(
                rid, worker.pull.endpoint(), new int[] {1, 2, 3}, SamplingParams.greedy(8), true);
    }

    @Test
    void shouldDispatchAccountAndAnswerForItself() throws Exception {
        try (LiveController live = new LiveController(2, 1, "round_robin")) {
            Worker worker = live.workers.get(0);
            worker.sayHello();
            assertThat(live.await(worker.pull, ControllerHello.class).epoch()).isEqualTo(900);
            worker.send(request(worker, "waits for a rank", 1));
            try (Rank rank0 = live.new Rank(0, 50)) {
                assertThat(live.await(worker.pull, RankUp.class).dpRank()).isZero();
                live.decode(live.awaitFrame(rank0.input));
                TokenizedGenerateReqInput got = live.await(rank0.input, TokenizedGenerateReqInput.class);
                assertThat(WireRid.userPart(got.rid())).isEqualTo("waits for a rank");
                assertThat(got.inputIds()).containsExactly(1, 2, 3);
                assertThat(got.dispatchTime()).isBetween(1.6e9, System.currentTimeMillis() / 1e3 + 1);

                assertThat(figure(live.state(0), "tables", "rid_map")).isEqualTo(1);
                worker.send(new EndNotice(new String[] {got.rid()}));
                assertThat(figure(live.state(0), "tables", "rid_map")).isZero();
                live.await(rank0.input, GetInternalStateReq.class);
            }
        }
    }

    @Test
    void shouldReturnTheRidsOfARankWhoseHeartbeatsStop() throws Exception {
        try (LiveController live = new LiveController(2, 2, "round_robin")) {
            Worker first = live.workers.get(0);
            Worker second = live.workers.get(1);
            first.sayHello();
            second.sayHello();
            try (Rank rank0 = live.new Rank(0, 50);
                    Rank rank1 = live.new Rank(1, 51)) {
                for (Worker w : live.workers) {
                    live.await(w.pull, RankUp.class);
                    live.await(w.pull, RankUp.class);
                }
                for (int i = 0; i < 4; i++) {
                    first.send(request(first, "a" + i, i));
                }
                List<String> onRank1 = List.of(
                        live.await(rank1.input, TokenizedGenerateReqInput.class).rid(),
                        live.await(rank1.input, TokenizedGenerateReqInput.class).rid());
                rank1.kill();
                long killedNs = System.nanoTime();
                RankDown down = live.await(first.pull, RankDown.class);
                assertThat(System.nanoTime() - killedNs).isLessThan(2_000_000_000L);
                assertThat(down.dpRank()).isEqualTo(1);
                assertThat(down.incarnation()).isEqualTo(51);
                assertThat(down.rids()).containsExactlyInAnyOrderElementsOf(onRank1);
                assertThat(live.await(second.pull, RankDown.class).rids()).isEmpty();

                first.send(request(first, "after", 9));
                live.await(rank0.input, TokenizedGenerateReqInput.class);
                live.await(rank0.input, TokenizedGenerateReqInput.class);
                assertThat(WireRid.userPart(live.await(rank0.input, TokenizedGenerateReqInput.class)
                                .rid()))
                        .isEqualTo("after");
                assertThat(figure(live.state(0), "tables", "rid_map")).isEqualTo(3);
            }
        }
    }

    @Test
    void shouldTakeReportsOnItsOwnEndpointToo() throws Exception {
        try (LiveController live = new LiveController(1, 1, "round_robin")) {
            Worker first = live.workers.get(0);
            first.sayHello();
            try (Rank rank = live.new Rank(0, 50)) {
                live.await(first.pull, RankUp.class);
                long applied = 0;
                for (long seq = 1; applied == 0 && seq < 1000; seq++) {
                    live.sendDirect(new WatchLoadUpdateReq(null, null, List.of(rank.report(seq, 0))));
                    applied = figure(live.state(0), "counters", "reports_applied");
                }
                assertThat(applied).isPositive();
            }
        }
    }

    @Test
    void shouldDropReportsThatAreLateDoubledOrReordered() throws Exception {
        try (LiveController live = new LiveController(1, 2, "round_robin")) {
            Worker first = live.workers.get(0);
            first.sayHello();
            try (Rank rank = live.new Rank(0, 50)) {
                live.await(first.pull, RankUp.class);
                for (long seq : new long[] {2, 1, 3, 3, 2}) {
                    first.send(new WatchLoadUpdateReq(null, null, List.of(rank.report(seq, (int) seq))));
                }
                long passedOver = 0;
                long applied = 0;
                while (passedOver + applied < 5) { // what is superseded unread is counted at the next tick
                    Map<String, Object> state = live.state(0);
                    applied = figure(state, "counters", "reports_applied");
                    passedOver = figure(state, "counters", "reports_stale")
                            + figure(state, "counters", "reports_superseded");
                }
                assertThat(passedOver + applied).isEqualTo(5);
                assertThat(applied).isBetween(1L, 2L);
                first.send(new WatchLoadUpdateReq(null, null, List.of(rank.report(3, 3))));
                assertThat(figure(live.state(0), "counters", "reports_applied"))
                        .as("3 was applied")
                        .isEqualTo(applied);
                first.send(new WatchLoadUpdateReq(null, null, List.of(rank.report(4, 4))));
                assertThat(figure(live.state(0), "counters", "reports_applied")).isEqualTo(applied + 1);
            }
        }
    }

    @Test
    void shouldAbortAUsersRidThatAnotherWorkerOwns() throws Exception {
        try (LiveController live = new LiveController(2, 2, "round_robin")) {
            Worker owner = live.workers.get(0);
            Worker other = live.workers.get(1);
            owner.sayHello();
            other.sayHello();
            try (Rank rank0 = live.new Rank(0, 50);
                    Rank rank1 = live.new Rank(1, 51)) {
                live.await(owner.pull, RankUp.class);
                live.await(owner.pull, RankUp.class);
                owner.send(request(owner, "user", 1));
                owner.send(request(owner, "user", 2));
                String rid0 =
                        live.await(rank0.input, TokenizedGenerateReqInput.class).rid();
                String rid1 =
                        live.await(rank1.input, TokenizedGenerateReqInput.class).rid();
                other.send(AbortReq.of("user", other.pull.endpoint()));
                assertThat(live.await(rank0.input, AbortReq.class)).isEqualTo(AbortReq.of(rid0, owner.pull.endpoint()));
                assertThat(live.await(rank1.input, AbortReq.class)).isEqualTo(AbortReq.of(rid1, owner.pull.endpoint()));
            }
        }
    }

    @Test
    void shouldSplitBatchesAndGoOnAfterDamagedFrames() throws Exception {
        try (LiveController live = new LiveController(1, 1, "round_robin")) {
            Worker worker = live.workers.get(0);
            worker.sayHello();
            try (Rank rank = live.new Rank(0, 50)) {
                live.await(worker.pull, RankUp.class);
                byte[] whole = live.encode(request(worker, "a", 1));
                worker.send(java.util.Arrays.copyOf(whole, 60));
                worker.send(new byte[0]);
                worker.send(new byte[] {(byte) 0x91, (byte) 0xa1, 'X'});
                worker.send(new byte[] {42});
                live.sendDirect(new EndNotice(new String[] {"not here"}));
                worker.send(new BatchTokenizedGenerateReqInput(
                        null, null, List.of(request(worker, "b", 2), request(worker, "c", 3))));
                assertThat(live.await(rank.input, TokenizedGenerateReqInput.class)
                                .rid())
                        .startsWith("b");
                TokenizedGenerateReqInput last = live.await(rank.input, TokenizedGenerateReqInput.class);
                assertThat(last.rid()).startsWith("c");
                assertThat(last.dispatchTime()).isPositive();
                Map<String, Object> state = live.state(0);
                assertThat(figure(state, "counters", "forwarded")).isEqualTo(2);
                assertThat(figure(state, "counters", "dropped_unknown_tag")).isEqualTo(1);
                assertThat(figure(state, "counters", "dropped_bad_frame_truncated"))
                        .isPositive();
            }
        }
    }

    @Test
    void shouldRefuseAPinThatIsOutOfRange() throws Exception {
        try (LiveController live = new LiveController(1, 1, "round_robin")) {
            Worker worker = live.workers.get(0);
            worker.sayHello();
            TokenizedGenerateReqInput r = request(worker, "a", 1);
            worker.send(new TokenizedGenerateReqInput(
                    r.rid(),
                    r.httpWorkerIpc(),
                    null,
                    r.inputIds(),
                    r.samplingParams(),
                    false,
                    -1,
                    0,
                    true,
                    null,
                    null,
                    null,
                    7,
                    null,
                    null,
                    null,
                    null,
                    0,
                    0.0));
            Refused refused = live.await(worker.pull, Refused.class);
            assertThat(refused).isEqualTo(new Refused(r.rid(), 400, "routed_dp_rank must be 0 to 0"));
        }
    }

    @Test
    void shouldServeAloneWithLegacyPeersAndKeepTheirBytes() throws Exception {
        org.zeromq.ZContext context = new org.zeromq.ZContext();
        try (context;
                PushSocket input = PushSocket.bind(context, "tcp://127.0.0.1:*", SocketLimits.defaults());
                LiveController live = new LiveController(2, input, "shortest_queue")) {
            List<String> endpoints = live.process.rankEndpoints();
            try (PullSocket rank0 = PullSocket.connect(context, endpoints.get(0), SocketLimits.defaults());
                    PullSocket rank1 = PullSocket.connect(context, endpoints.get(1), SocketLimits.defaults())) {
                byte[] frame = live.encode(
                        TokenizedGenerateReqInput.of("user", null, new int[] {1, 2}, SamplingParams.greedy(4), false));
                byte[] flush = live.encode(new FlushCacheReqInput("f", null, null));
                // Broadcast until both have connected: it reaches exactly those that have.
                byte[] first = null;
                byte[] second = null;
                while (first == null || second == null) {
                    LiveController.sendWhenConnected(input, flush.clone());
                    first = first == null ? rank0.receive(100) : first;
                    second = second == null ? rank1.receive(100) : second;
                }
                LiveController.sendWhenConnected(
                        input,
                        live.encode(new WatchLoadUpdateReq(
                                null,
                                null,
                                List.of(
                                        GetLoadReqOutput.legacy(0, 5, 0, 0, 1.0),
                                        GetLoadReqOutput.legacy(1, 3, 0, 0, 1.0)))));
                for (int i = 0; i < 2; i++) {
                    LiveController.sendWhenConnected(input, frame.clone());
                }
                assertThat(next(live, rank1, frame.length)).isEqualTo(frame);
                assertThat(next(live, rank1, frame.length)).isEqualTo(frame);
                LiveController.sendWhenConnected(input, frame.clone());
                assertThat(next(live, rank0, frame.length))
                        .as("the plan is used up")
                        .isEqualTo(frame);
            }
        }
    }

    private static byte[] next(LiveController live, PullSocket rank, int length) {
        byte[] frame = live.awaitFrame(rank);
        while (frame.length != length) {
            frame = live.awaitFrame(rank);
        }
        return frame;
    }
}
