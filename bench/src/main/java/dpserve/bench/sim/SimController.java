package dpserve.bench.sim;

import dpserve.controller.ControllerConfig;
import dpserve.controller.ControllerOutput;
import dpserve.controller.DataParallelController;
import dpserve.controller.LoadBalance;
import dpserve.controller.policy.Policies;
import dpserve.controller.policy.RequestInfo;
import dpserve.io.LogLimiter;
import dpserve.io.codec.PrefixHash;
import dpserve.io.message.Heartbeat;
import dpserve.io.message.Hello;
import dpserve.io.message.Message;
import dpserve.io.message.Role;
import dpserve.io.message.TokenizedGenerateReqInput;
import java.nio.ByteBuffer;
import java.util.Map;
import java.util.stream.IntStream;
import org.slf4j.LoggerFactory;

/**
 * The production controller in virtual time. Requests are not encoded: a frame is the request's number, which the
 * controller hands on as it would the bytes.
 */
final class SimController implements ControllerOutput {
    /** The controller's own defaults; heartbeats carry no load here. */
    static final long HEARTBEAT_NS = 200_000_000L;

    static final long TICK_NS = 50_000_000L;
    private static final long RANK_TIMEOUT_NS = 800_000_000L;
    private static final long NO_RANK_TIMEOUT_NS = 5_000_000_000L;
    private static final String INPUT = "tcp://127.0.0.1:1";
    private static final long[] NO_HASHES = {};
    private static final byte[] NOTHING = {};

    /** Who hears of what the controller does, after the time of one hop. */
    interface Network {
        void requestToRank(int dpRank, int request);

        void messageToRank(int dpRank, Message message);

        void messageToWorker(int worker, Message message);
    }

    private final EventQueue queue;
    private final long hopNs;
    private final Network network;
    private final DataParallelController core;
    private final boolean prefixHashes;

    SimController(EventQueue queue, SimOptions options, long seed, Network network) {
        this.queue = queue;
        this.hopNs = (long) (options.messageDelayUs * 1e3);
        this.network = network;
        this.prefixHashes = Policies.wantsPrefixHashes(options.method);
        ControllerConfig config = new ControllerConfig(
                options.dpSize,
                0,
                IntStream.range(0, options.tokenizerWorkers)
                        .mapToObj(SimTokenizers::endpoint)
                        .toList(),
                1,
                1,
                RANK_TIMEOUT_NS,
                NO_RANK_TIMEOUT_NS,
                ControllerConfig.Limits.DEFAULT);
        core = new DataParallelController(
                config,
                0,
                LoadBalance.of(Policies.create(
                        options.method, new Policies.Settings(1, Policies.DEFAULT_BUDGET_INTERVAL, seed))),
                this,
                new LogLimiter(LoggerFactory.getLogger(SimController.class)),
                now -> now / 1e9);
        for (int worker = 0; worker < options.tokenizerWorkers; worker++) {
            String own = SimTokenizers.endpoint(worker);
            Map<String, String> endpoints = Map.of(Hello.PULL, own, Hello.PUSH, own);
            core.onStreamMessage(worker, hello(Role.TOKENIZER, worker, worker + 1, endpoints), NOTHING, 0);
        }
    }

    private static Hello hello(Role role, int index, long incarnation, Map<String, String> endpoints) {
        return new Hello(role, index, incarnation, endpoints, Hello.PROTOCOL_VERSION, 1, Map.of(), new String[0]);
    }

    DataParallelController core() {
        return core;
    }

    /** A rank's process begins. */
    void rankStarted(int dpRank, long incarnation) {
        core.onDirectMessage(hello(Role.SCHEDULER, dpRank, incarnation, Map.of(Hello.INPUT, INPUT)), queue.nowNs());
    }

    void heartbeat(SimRank rank) {
        core.onDirectMessage(
                new Heartbeat(
                        rank.dpRank(),
                        rank.incarnation(),
                        INPUT,
                        rank.scheduler().steps(),
                        rank.scheduler().heldCount(),
                        rank.scheduler().heldHash(),
                        null),
                queue.nowNs());
    }

    /** @param number of the request that this is an attempt of */
    void request(int worker, int number, TokenizedGenerateReqInput message) {
        int[] ids = message.inputIds();
        RequestInfo info = new RequestInfo(
                message.rid(),
                message.httpWorkerIpc(),
                ids.length,
                RequestInfo.NO_RANK,
                RequestInfo.NO_ROOM,
                message.routingKey(),
                prefixHashes ? PrefixHash.of(ids) : NO_HASHES,
                false);
        byte[] frame = ByteBuffer.allocate(Integer.BYTES).putInt(number).array();
        core.onRequest(worker, info, frame, queue.nowNs());
    }

    /** End notices and aborts. */
    void message(int worker, Message message) {
        core.onStreamMessage(worker, message, NOTHING, queue.nowNs());
    }

    @Override
    public boolean connectRank(int dpRank, String inputEndpoint) {
        return true;
    }

    @Override
    public void closeRank(int dpRank) {
        // What is under way still arrives at a rank that is dead, and is lost with it.
    }

    @Override
    public boolean toRank(int dpRank, byte[] frame) {
        int request = ByteBuffer.wrap(frame).getInt();
        queue.after(hopNs, () -> network.requestToRank(dpRank, request));
        return true;
    }

    @Override
    public boolean toRank(int dpRank, Message message) {
        queue.after(hopNs, () -> network.messageToRank(dpRank, message));
        return true;
    }

    @Override
    public void toInput(String inputEndpoint, Message message) {
        // Fencing a ghost: there are none here, a killed process is gone.
    }

    @Override
    public boolean connectWorker(int worker, String pullEndpoint) {
        return true;
    }

    @Override
    public boolean toWorker(int worker, Message message) {
        queue.after(hopNs, () -> network.messageToWorker(worker, message));
        return true;
    }

    @Override
    public boolean toWorker(int worker, byte[] frame) {
        return true;
    }
}
