package dpserve.controller;

import dpserve.controller.policy.DispatchPolicy;
import dpserve.controller.policy.Policies;
import dpserve.controller.policy.RequestInfo;
import dpserve.io.LogLimiter;
import dpserve.io.WireRid;
import dpserve.io.message.EndNotice;
import dpserve.io.message.Heartbeat;
import dpserve.io.message.Hello;
import dpserve.io.message.Message;
import dpserve.io.message.Role;
import java.util.List;
import java.util.Map;
import org.slf4j.helpers.NOPLogger;

/** The controller's core with a clock in the test's hand, peers that say the right things, and a record of its output. */
final class Harness {
    static final long MS = 1_000_000L;
    static final long EPOCH = 900;
    static final String WORKER_ENDPOINT = "tcp://127.0.0.1:700";

    final RecordingOutput out = new RecordingOutput();
    final DataParallelController controller;
    final LogLimiter limiter = new LogLimiter(NOPLogger.NOP_LOGGER);
    long nowNs = 5_000 * MS;

    private final byte[] anyFrame = {1, 2, 3};
    private long nextRid = 1;

    Harness(int dpSize, int workers) {
        this(dpSize, workers, 0, "round_robin");
    }

    /** Streams 0 to workers - 1 belong to the workers; one legacy input follows. */
    Harness(int dpSize, int workers, int legacyRanks, String policy) {
        this(dpSize, workers, legacyRanks, Policies.create(policy, new Policies.Settings(1.0, 1)));
    }

    Harness(int dpSize, int workers, int legacyRanks, DispatchPolicy policy) {
        this(dpSize, workers, legacyRanks, LoadBalance.of(policy));
    }

    Harness(int dpSize, int workers, int legacyRanks, LoadBalance balance) {
        this(dpSize, workers, legacyRanks, balance, ControllerConfig.Limits.DEFAULT);
    }

    Harness(int dpSize, int workers, int legacyRanks, LoadBalance balance, ControllerConfig.Limits limits) {
        List<String> endpoints = java.util.stream.IntStream.range(0, workers)
                .mapToObj(w -> WORKER_ENDPOINT + w)
                .toList();
        ControllerConfig config =
                new ControllerConfig(dpSize, legacyRanks, endpoints, EPOCH, 4711, 800 * MS, 5000 * MS, limits);
        controller = new DataParallelController(config, 1, balance, out, limiter, ns -> ns / 1e9);
    }

    /** Time passes in steps as short as the process's ticks. */
    void pass(long ms) {
        for (long left = ms; left > 0; left -= 50) {
            nowNs += Math.min(50, left) * MS;
            controller.onTick(nowNs);
        }
    }

    static String input(int dpRank, long incarnation) {
        return "tcp://127.0.0.1:" + (10_000 + dpRank * 10 + incarnation % 10);
    }

    static Hello rankHello(int dpRank, long incarnation, String... held) {
        Map<String, String> endpoints = Map.of(Hello.INPUT, input(dpRank, incarnation));
        return new Hello(
                Role.SCHEDULER, dpRank, incarnation, endpoints, Hello.PROTOCOL_VERSION, 33, Map.of("kv", 7L), held);
    }

    static Heartbeat beat(int dpRank, long incarnation) {
        return new Heartbeat(dpRank, incarnation, input(dpRank, incarnation), 1, 0, 0, null);
    }

    void rankUp(int dpRank, long incarnation, String... held) {
        controller.onDirectMessage(rankHello(dpRank, incarnation, held), nowNs);
    }

    static Hello workerHello(int worker, long incarnation) {
        Map<String, String> endpoints = Map.of(Hello.PULL, WORKER_ENDPOINT + worker);
        return new Hello(
                Role.TOKENIZER, worker, incarnation, endpoints, Hello.PROTOCOL_VERSION, 34, Map.of(), new String[0]);
    }

    void workerUp(int worker, long incarnation) {
        inStream(worker, workerHello(worker, incarnation));
    }

    void inStream(int stream, Message message) {
        controller.onStreamMessage(stream, message, anyFrame, nowNs);
    }

    static RequestInfo info(String rid, int tokens) {
        return new RequestInfo(rid, WORKER_ENDPOINT + 0, tokens, RequestInfo.NO_RANK, RequestInfo.NO_ROOM, null, false);
    }

    static RequestInfo pinned(String rid, int dpRank) {
        return new RequestInfo(rid, WORKER_ENDPOINT + 0, 10, dpRank, RequestInfo.NO_ROOM, null, false);
    }

    /** A request of 10 prompt tokens under a fresh wire rid, which is returned. */
    String request(int stream, String user) {
        String rid = new WireRid(user, 100 + stream, nextRid++, 0).toString();
        request(stream, info(rid, 10));
        return rid;
    }

    void request(int stream, RequestInfo info) {
        controller.onRequest(stream, info, new byte[] {9, 9, 9}, nowNs);
    }

    void end(int stream, String... rids) {
        inStream(stream, new EndNotice(rids));
    }

    long count(Count count) {
        return controller.counters().get(count);
    }
}
