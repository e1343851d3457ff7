package dpserve.bench.sim;

import dpserve.bench.dataset.Seeds;
import dpserve.controller.ControllerConfig;
import dpserve.controller.ControllerOutput;
import dpserve.controller.DataParallelController;
import dpserve.controller.LoadBalance;
import dpserve.controller.policy.Policies;
import dpserve.controller.policy.RequestInfo;
import dpserve.io.LogLimiter;
import dpserve.io.codec.PrefixHash;
import dpserve.io.message.GetLoadReqOutput;
import dpserve.io.message.Heartbeat;
import dpserve.io.message.Hello;
import dpserve.io.message.Message;
import dpserve.io.message.Role;
import dpserve.io.message.TokenizedGenerateReqInput;
import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;
import org.slf4j.LoggerFactory;

/**
 * The production controller in virtual time. Messages are not encoded: a frame is the number that stands for the message,
 * which the controller hands on as it would the bytes.
 */
final class SimController implements ControllerOutput {
    /** The controller's own defaults; heartbeats carry no load here. */
    static final long HEARTBEAT_NS = 200_000_000L;

    static final long TICK_NS = 50_000_000L;
    private static final long RANK_TIMEOUT_NS = 800_000_000L;
    private static final long NO_RANK_TIMEOUT_NS = 5_000_000_000L;
    private static final int LOSSES = 72;
    private static final long[] NO_HASHES = {};

    /** Who hears of what the controller does, after the time of one hop. */
    interface Network {
        /** @param endpoint of the incarnation that it is for */
        void frameToRank(int dpRank, String endpoint, int frame);

        void messageToRank(int dpRank, String endpoint, Message message);

        /** To whoever has that endpoint. */
        void messageToInput(String endpoint, Message message);

        void messageToWorker(int worker, Message message);

        /** A message between the controller and a rank got lost. */
        void lost(int dpRank);
    }

    private final EventQueue queue;
    private final SimOptions options;
    private final long seed;
    private final long hopNs;
    private final Network network;
    private final boolean prefixHashes;
    private final Random losses;
    private final Map<Integer, String> connected = new HashMap<>();
    private DataParallelController core;
    private boolean up;
    private int life;

    SimController(EventQueue queue, SimOptions options, long seed, Network network) {
        this.queue = queue;
        this.options = options;
        this.seed = seed;
        this.hopNs = (long) (options.messageDelayUs * 1e3);
        this.network = network;
        this.prefixHashes = Policies.wantsPrefixHashes(options.method);
        this.losses = Seeds.random(seed, LOSSES);
    }

    /** A fresh process begins; the workers' streams open with their hellos. */
    void start() {
        up = true;
        life++;
        connected.clear();
        ControllerConfig config = new ControllerConfig(
                options.dpSize,
                0,
                IntStream.range(0, options.tokenizerWorkers)
                        .mapToObj(SimTokenizers::endpoint)
                        .toList(),
                life,
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
            core.onStreamMessage(worker, hello(Role.TOKENIZER, worker, worker + 1, endpoints), frame(0), queue.nowNs());
        }
    }

    /** The process dies, with all that is on its way to it. */
    void stop() {
        up = false;
        life++;
    }

    boolean isUp() {
        return up;
    }

    /** Which of the processes that were the controller, or the time between two. */
    int life() {
        return life;
    }

    void tick() {
        if (up) {
            core.onTick(queue.nowNs());
        }
    }

    void onReports(List<GetLoadReqOutput> loads) {
        if (up) {
            core.onReports(loads, queue.nowNs());
        }
    }

    private static Hello hello(Role role, int index, long incarnation, Map<String, String> endpoints) {
        return new Hello(role, index, incarnation, endpoints, Hello.PROTOCOL_VERSION, 1, Map.of(), new String[0]);
    }

    DataParallelController core() {
        return core;
    }

    /** A hello, a heartbeat, an answer. */
    void fromRank(Message message) {
        int dpRank = message instanceof Heartbeat beat ? beat.dpRank() : -1;
        if (up && !isLost(dpRank)) {
            core.onDirectMessage(message, queue.nowNs());
        }
    }

    private boolean isLost(int dpRank) {
        boolean lost = options.messageLoss > 0 && losses.nextDouble() < options.messageLoss;
        if (lost) {
            network.lost(dpRank);
        }
        return lost;
    }

    /**
     * @param sentTo life of the controller that it was sent to
     * @param number of the frame that stands for the message
     */
    void request(int sentTo, int worker, int number, TokenizedGenerateReqInput message) {
        if (sentTo != life) {
            return;
        }
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
        core.onRequest(worker, info, frame(number), queue.nowNs());
    }

    private static byte[] frame(int number) {
        return ByteBuffer.allocate(Integer.BYTES).putInt(number).array();
    }

    /** End notices, aborts, an operator's calls. */
    void message(int sentTo, int worker, int number, Message message) {
        if (sentTo == life && up) {
            core.onStreamMessage(worker, message, frame(number), queue.nowNs());
        }
    }

    @Override
    public boolean connectRank(int dpRank, String inputEndpoint) {
        connected.put(dpRank, inputEndpoint);
        return true;
    }

    @Override
    public void closeRank(int dpRank) {
        // What is under way still arrives, if the incarnation is there.
        connected.remove(dpRank);
    }

    @Override
    public boolean toRank(int dpRank, byte[] frame) {
        String endpoint = connected.get(dpRank);
        if (endpoint != null && !isLost(dpRank)) {
            int number =
                    frame.length < Integer.BYTES ? -1 : ByteBuffer.wrap(frame).getInt();
            queue.after(hopNs, () -> network.frameToRank(dpRank, endpoint, number));
        }
        return endpoint != null;
    }

    @Override
    public boolean toRank(int dpRank, Message message) {
        String endpoint = connected.get(dpRank);
        if (endpoint != null && !isLost(dpRank)) {
            queue.after(hopNs, () -> network.messageToRank(dpRank, endpoint, message));
        }
        return endpoint != null;
    }

    @Override
    public void toInput(String inputEndpoint, Message message) {
        if (!isLost(-1)) {
            queue.after(hopNs, () -> network.messageToInput(inputEndpoint, message));
        }
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
