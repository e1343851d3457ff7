package dpserve.controller.process;

import dpserve.controller.Count;
import dpserve.controller.DataParallelController;
import dpserve.controller.LoadBalance;
import dpserve.controller.decision.DecisionRecording;
import dpserve.controller.policy.Policies;
import dpserve.io.Env;
import dpserve.io.LoadReport;
import dpserve.io.LogLimiter;
import dpserve.io.codec.IntArrayForm;
import dpserve.io.codec.MessageCodec;
import dpserve.io.message.GetLoadReqOutput;
import dpserve.io.message.Message;
import dpserve.io.process.EpochClock;
import dpserve.io.socket.BindException;
import dpserve.io.socket.PullSocket;
import dpserve.io.socket.Receiver;
import dpserve.io.socket.SocketLimits;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BooleanSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.zeromq.ZContext;

/**
 * The controller around its core: a thread for each PULL that reads, decodes and hands what it read to the core, and one, the caller
 * of {@link #run}, for the passing of time and for what readers leave to it. The core and every PUSH belong to whoever has
 * the {@link Turn}. Nobody spins, and no send blocks.
 */
final class ControllerProcess implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(ControllerProcess.class);

    /** 50 ms: fine enough for a rank timeout of 800 ms, and twenty wake-ups a second cost nothing. */
    private static final long TICK_MS = 50;

    private static final long TICK_NS = TICK_MS * 1_000_000;

    /** Of what streams brought, so much in one turn: well under half a millisecond of work, for which readers may have to wait. */
    private static final int MAX_BATCH = 128;

    /**
     * 16 MiB: some thousand requests, milliseconds of work. What waits here lives through collections, and copying 256 MiB of
     * it made pauses that loads grew old in; what has no room waits in the sockets of the workers.
     */
    private static final long MAX_INBOX_BYTES = 16 << 20;

    /**
     * As small for the same reason; ZeroMQ's own default, and far more than comes between two looks of a reader. 2000 would make a request
     * with six reports before it a twentieth cheaper and requests under overload a tenth dearer: a longer queue leaves the caches.
     */
    private static final int STREAM_QUEUE_MESSAGES = 1000;

    private final ProcessConfig config;
    private final ZContext context;
    private final LogLimiter limiter = new LogLimiter(LOG);
    private final EpochClock clock = EpochClock.start();
    private final Inbox inbox;
    private final Turn turn;
    private final ReportInjection injection;
    private final SocketOutput out;
    private final DataParallelController controller;
    private final List<Receiver> receivers = new ArrayList<>();
    private final List<String> rankEndpoints = new ArrayList<>();
    private final DecisionLog decisions;
    private String endpoint;

    /** Whether the policy wants them; read by the stream readers. */
    private volatile boolean prefixHashes;

    /** Whether the loads in heartbeats are reports; read by the endpoint's reader. */
    private volatile boolean direct;

    /** Reports that readers passed over since the last tick. */
    private final AtomicLong reportsSuperseded = new AtomicLong();

    private final ArrayDeque<Message> directMessages = new ArrayDeque<>();
    private final ArrayDeque<List<GetLoadReqOutput>> reports = new ArrayDeque<>();
    private final ArrayDeque<Inbox.StreamItem> items = new ArrayDeque<>();

    /**
     * Listens, connects and begins to read.
     *
     * @throws BindException if a port is in use
     * @throws IllegalArgumentException if the load-balance method is unknown
     */
    ControllerProcess(ProcessConfig config, ZContext context) throws BindException {
        this.context = context;
        this.config = config;
        this.inbox = new Inbox(Math.min(MAX_INBOX_BYTES, config.core().limits().queueBytes()));
        SocketLimits limits = SocketLimits.defaults();
        this.out = new SocketOutput(context, limits);
        this.turn = new Turn(inbox, this::dealWithUrgent, out::flush);
        this.injection = new ReportInjection(Env.system(), config.timeScale(), this::takeReports);
        Policies.Settings settings = new Policies.Settings(config.timeScale(), config.budgetInterval());
        LoadBalance balance = new LoadBalance(
                new LoadBalance.Setting(config.loadBalanceMethod(), config.loadReport(), injection.delayMs()),
                method -> Policies.create(method, settings),
                this::onChange);
        if (config.decisionLog() != null) {
            decisions = new DecisionLog(
                    config.decisionLog(),
                    config.decisionLogMaxBytes(),
                    config.core().dpSize(),
                    limiter);
            balance.recordTo(new DecisionRecording(settings, clock, decisions), System.nanoTime());
        } else {
            decisions = null;
        }
        this.prefixHashes = Policies.wantsPrefixHashes(config.loadBalanceMethod());
        this.direct = config.loadReport() == LoadReport.DIRECT;
        this.controller =
                new DataParallelController(config.core(), config.legacyInputs().size(), balance, out, limiter, clock);
        try {
            listen(limits);
        } catch (BindException e) {
            close();
            throw e;
        }
        List<String> streams = new ArrayList<>(config.workerStreams());
        streams.addAll(config.legacyInputs());
        for (int s = 0; s < streams.size(); s++) {
            PullSocket pull = PullSocket.connect(context, streams.get(s), limits.withQueue(STREAM_QUEUE_MESSAGES));
            MessageCodec codec = new MessageCodec(IntArrayForm.INT32);
            StreamReader reader = new StreamReader(
                    s, () -> prefixHashes, controller, inbox, turn, injection, codec, batch(codec), limiter);
            receivers.add(new Receiver("stream-" + s, pull, reader).start());
        }
    }

    private void onChange(LoadBalance.Setting setting) {
        prefixHashes = Policies.wantsPrefixHashes(setting.method());
        direct = setting.report() == LoadReport.DIRECT;
        injection.setDelayMs(setting.delayMs());
        LOG.info("balancing with {}, {}, reports {} ms late", setting.method(), setting.report(), setting.delayMs());
    }

    private void listen(SocketLimits limits) throws BindException {
        for (int r = 0; r < config.legacyRankEndpoints().size(); r++) {
            rankEndpoints.add(out.bindLegacyRank(r, config.legacyRankEndpoints().get(r)));
        }
        if (config.endpoint() != null) {
            PullSocket pull = PullSocket.bind(context, config.endpoint(), limits);
            endpoint = pull.endpoint();
            MessageCodec codec = new MessageCodec(IntArrayForm.INT32);
            EndpointReader reader =
                    new EndpointReader(codec, batch(codec), injection, inbox, turn, () -> direct, limiter);
            receivers.add(new Receiver("endpoint", pull, reader).start());
        }
    }

    private ReportBatch batch(MessageCodec codec) {
        return new ReportBatch(injection, codec, limiter, reportsSuperseded);
    }

    /** Where it listens for hellos, with the port it really has; null if nowhere. */
    String endpoint() {
        return endpoint;
    }

    /** Where it listens for each legacy rank. */
    List<String> rankEndpoints() {
        return List.copyOf(rankEndpoints);
    }

    /** Serves until asked to end. */
    void run(BooleanSupplier stopRequested) {
        long lastTickNs = System.nanoTime() - TICK_NS;
        while (!stopRequested.getAsBoolean()) {
            inbox.await(TICK_MS);
            turn.enter();
            try {
                inbox.takeStreams(items, MAX_BATCH);
                for (Inbox.StreamItem i = items.poll(); i != null; i = items.poll()) {
                    Inbox.StreamItem item = i;
                    turn.dealWithUrgent();
                    guarded(() -> item.deliver(System.nanoTime()));
                }
                long nowNs = System.nanoTime();
                if (nowNs - lastTickNs >= TICK_NS) {
                    lastTickNs = nowNs;
                    tick(nowNs);
                }
            } finally {
                turn.leave();
            }
        }
    }

    /** From any reader. */
    private void takeReports(List<GetLoadReqOutput> loads) {
        inbox.addReports(loads);
        turn.serve();
    }

    /** Each piece on its own: a defect that one of them uncovers costs that one only. */
    private void dealWithUrgent() {
        inbox.takeUrgent(directMessages, reports);
        for (Message m = directMessages.poll(); m != null; m = directMessages.poll()) {
            Message message = m;
            guarded(() -> controller.onDirectMessage(message, System.nanoTime()));
        }
        for (List<GetLoadReqOutput> l = reports.poll(); l != null; l = reports.poll()) {
            List<GetLoadReqOutput> loads = l;
            guarded(() -> controller.onReports(loads, System.nanoTime()));
        }
    }

    private void tick(long nowNs) {
        guarded(() -> {
            controller.counters().add(Count.REPORTS_SUPERSEDED, reportsSuperseded.getAndSet(0));
            for (int r = 0; r < rankEndpoints.size(); r++) {
                controller.onLegacyConnection(r, out.isWritable(r), nowNs);
            }
            controller.onTick(nowNs);
        });
    }

    private void guarded(Runnable work) {
        try {
            work.run();
        } catch (RuntimeException e) {
            limiter.warn("failed", e.toString());
            LOG.debug("failed", e);
        }
    }

    /** To be called by the thread that ran it. */
    @Override
    public void close() {
        inbox.close();
        receivers.forEach(Receiver::stop);
        receivers.forEach(Receiver::close);
        injection.close();
        if (decisions != null) {
            decisions.close();
        }
        out.close();
        context.close();
    }
}
