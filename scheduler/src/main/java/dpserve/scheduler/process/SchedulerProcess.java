package dpserve.scheduler.process;

import dpserve.io.Incarnation;
import dpserve.io.LoadReport;
import dpserve.io.LogLimiter;
import dpserve.io.message.ControllerHello;
import dpserve.io.message.DrainRank;
import dpserve.io.message.Fenced;
import dpserve.io.message.GetInternalStateReq;
import dpserve.io.message.GetInternalStateReqOutput;
import dpserve.io.message.Heartbeat;
import dpserve.io.message.HeldRids;
import dpserve.io.message.Hello;
import dpserve.io.message.LoadBalanceState;
import dpserve.io.message.Message;
import dpserve.io.message.ShutdownReq;
import dpserve.io.socket.BindException;
import dpserve.scheduler.Batch;
import dpserve.scheduler.Engine;
import dpserve.scheduler.Scheduler;
import dpserve.scheduler.StepResult;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.zeromq.ZContext;

/**
 * One rank's process around its core: receive, schedule, forward, process. The main thread does all four; a reader
 * thread decodes the input meanwhile and a heartbeat thread says that the rank lives.
 *
 * <p>An incarnation has an input endpoint of its own. The rank registers at the start, again when a restarted controller
 * greets it (keeping its requests), and again when it is fenced (dropping them).
 */
final class SchedulerProcess implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(SchedulerProcess.class);

    /** 1 s, then an idle loop wakes up by itself. Its load does not change, and an unchanged heartbeat is not encoded anew. */
    private static final long MAX_IDLE_LOAD_AGE_NS = 1_000_000_000;

    private final RankConfig config;
    private final Engine engine;
    private final ZContext context;
    private final LogLimiter limiter = new LogLimiter(LOG);
    private final Incarnation incarnations = new Incarnation();
    private final RankSockets sockets;
    private final Scheduler scheduler;
    private final StepPacer pacer;
    private final HeartbeatSender heartbeats;

    /** Null unless steps are logged. */
    private final StepLog stepLog;

    /** Null unless the ranks step together. */
    private final StepTogether together;

    /** Null unless this is a rank of a prefill or decode server. */
    private final KvLink kv;

    /** Not bounded: a step lasts seconds at most, and the scheduler refuses what exceeds its own queue. */
    private final BlockingQueue<Message> messages = new LinkedBlockingQueue<>();

    private RankInput input;
    private long incarnation;
    private long controllerEpoch;
    private boolean shutdown;
    private boolean draining;

    /** Whether a heartbeat follows each change of the load. */
    private boolean direct;

    private volatile Heartbeat heartbeat;

    /**
     * Listens, connects and registers.
     *
     * @throws BindException if its port is in use
     */
    SchedulerProcess(RankConfig config, Engine engine, ZContext context) throws BindException {
        this.context = context;
        this.config = config;
        this.engine = engine;
        this.stepLog = config.stepLog() == null
                ? null
                : new StepLog(config.stepLog(), config.scheduler().dpRank());
        this.direct = config.loadReport() == LoadReport.DIRECT;
        try {
            input = new RankInput(context, config.inputEndpoint(), config.sglangController(), limiter, messages);
            incarnation = incarnations.next(System.currentTimeMillis());
            together = config.dpAttention()
                    ? new StepTogether(
                            context,
                            config.freeInputEndpoint(),
                            config.scheduler().dpRank(),
                            incarnation,
                            limiter,
                            messages)
                    : null;
            kv = config.handoff() == null
                    ? null
                    : new KvLink(
                            context,
                            config.freeInputEndpoint(),
                            config.handoff().peerAllowed(),
                            limiter,
                            messages::add);
        } catch (BindException e) {
            context.close();
            throw e;
        }
        sockets = new RankSockets(context, config.endpoints(), config.tokenIdForm(), limiter);
        scheduler = kv == null
                ? new Scheduler(config.scheduler(), engine, sockets, incarnation)
                : new Scheduler(config.scheduler(), config.handoff().half(kv.endpoint(), kv), sockets, incarnation);
        pacer = new StepPacer(config.timeScale());
        heartbeats = new HeartbeatSender(
                context, config.endpoints().controller(), config.heartbeatIntervalMs(), () -> heartbeat);
        if (config.sglangController()) {
            publish();
        } else {
            register();
            heartbeats.start();
        }
    }

    /** Where this incarnation takes requests. */
    String inputEndpoint() {
        return input.endpoint();
    }

    long incarnation() {
        return incarnation;
    }

    /** Serves until asked to end. */
    void run(BooleanSupplier stopRequested) throws BindException, InterruptedException {
        while (!shutdown && !stopRequested.getAsBoolean()) {
            receive(messages.poll());
            long startNs = System.nanoTime();
            Batch batch = scheduler.nextBatch(startNs);
            if (batch == null && (together == null || !together.isCalled())) {
                publish();
                pacer.pause();
                if (stepLog != null) {
                    stepLog.flush();
                }
                receive(messages.poll(waitNs(), TimeUnit.NANOSECONDS));
                continue;
            }
            StepResult result = batch == null ? null : engine.run(batch);
            long ownNs = result == null ? 0 : result.durationNs();
            long durationNs = ownNs;
            if (together != null) {
                durationNs = together.meet(ownNs, stopRequested);
                startNs = System.nanoTime();
            }
            pacer.await(startNs, durationNs);
            if (batch != null) {
                scheduler.onStepFinished(batch, result, System.nanoTime());
            }
            if (stepLog != null) {
                long step = together == null ? scheduler.steps() : together.steps();
                long wallNs = System.nanoTime() - startNs;
                stepLog.ended(step, System.currentTimeMillis(), wallNs, durationNs, ownNs, scheduler);
            }
            sockets.flush(0);
            publish();
        }
    }

    /** Makes an idle loop look whether it was asked to end; callable from any thread. */
    void wake() {
        messages.add(new ShutdownReq(null, null));
    }

    private long waitNs() {
        long dueNs = scheduler.nextDueNs();
        long mostNs = sockets.flush(MAX_IDLE_LOAD_AGE_NS);
        return dueNs == Long.MAX_VALUE ? mostNs : Math.max(0, Math.min(mostNs, dueNs - System.nanoTime()));
    }

    /** Takes a message and all that wait behind it. */
    private void receive(Message first) throws BindException {
        if (together != null) {
            for (Message m = together.pollDeferred(); m != null; m = together.pollDeferred()) {
                guarded(m);
            }
        }
        for (Message message = first; message != null; message = messages.poll()) {
            guarded(message);
        }
    }

    private void guarded(Message message) throws BindException {
        try {
            handle(message);
        } catch (RuntimeException e) {
            LOG.error("a {} was dropped", message.getClass().getSimpleName(), e);
            limiter.warn("failed_message", message.getClass().getSimpleName());
        }
    }

    private void handle(Message message) throws BindException {
        if (scheduler.onMessage(message, System.nanoTime()) || (together != null && together.onMessage(message))) {
            return;
        }
        if (message instanceof ControllerHello hello) {
            onControllerHello(hello);
        } else if (message instanceof Fenced fenced) {
            onFenced(fenced);
        } else if (message instanceof DrainRank wish) {
            draining = DrainRank.DRAIN.equals(wish.action());
        } else if (message instanceof LoadBalanceState state) {
            direct = LoadReport.DIRECT.wireName().equals(state.report());
        } else if (message instanceof GetInternalStateReq call) {
            sockets.toTokenizer(
                    call.httpWorkerIpc(),
                    new GetInternalStateReqOutput(
                            call.rid(),
                            call.httpWorkerIpc(),
                            RankInternalState.of(
                                    config.scheduler().dpRank(),
                                    incarnation,
                                    scheduler,
                                    pacer,
                                    limiter,
                                    together,
                                    endpoints())));
        } else if (message instanceof HeldRids question) {
            sockets.toController(new HeldRids(question.dpRank(), incarnation, scheduler.heldRids()));
        } else if (message instanceof ShutdownReq) {
            shutdown = true;
        } else {
            limiter.warn("unexpected_message", message.getClass().getSimpleName());
        }
    }

    /** The controller met this rank by its heartbeat and knows no registration: it is new, or the registration got lost. */
    private void onControllerHello(ControllerHello hello) throws BindException {
        long known = controllerEpoch;
        if (hello.epoch() < known) {
            return;
        }
        controllerEpoch = hello.epoch();
        if (together != null) {
            together.onController(hello);
        }
        if (known != 0 && hello.epoch() > known) {
            LOG.info(
                    "a new controller (epoch {}) greets: registering with {} requests",
                    hello.epoch(),
                    scheduler.heldCount());
            beginIncarnation();
            receiveRest();
        }
        register();
    }

    /** A newer incarnation has this dp_rank, so what this one held is being served elsewhere. */
    private void onFenced(Fenced fenced) throws BindException {
        if (fenced.incarnation() != incarnation
                || fenced.dpRank() != config.scheduler().dpRank()) {
            return;
        }
        limiter.warn("fenced", "incarnation " + incarnation + " drops " + scheduler.heldCount() + " requests");
        scheduler.abandonAll();
        beginIncarnation();
        messages.clear();
        if (together != null) {
            together.forgetDeferred();
        }
        register();
    }

    /** A fresh port and number; what the old port has taken is among the messages. */
    private void beginIncarnation() throws BindException {
        input.close();
        input = new RankInput(context, config.freeInputEndpoint(), false, limiter, messages);
        incarnation = incarnations.next(System.currentTimeMillis());
        scheduler.restart(incarnation);
        if (together != null) {
            together.restart(incarnation);
        }
    }

    private void receiveRest() {
        for (Message message = messages.poll(); message != null; message = messages.poll()) {
            if (!scheduler.onMessage(message, System.nanoTime()) && together != null) {
                together.onMessage(message);
            }
        }
    }

    private void register() {
        sockets.toController(config.hello(
                incarnation, endpoints(), draining, scheduler.load(System.nanoTime(), 0), scheduler.heldRids()));
        publish();
    }

    private Map<String, String> endpoints() {
        return together == null
                ? Map.of(Hello.INPUT, input.endpoint())
                : Map.of(Hello.INPUT, input.endpoint(), Hello.STEP, together.endpoint());
    }

    /** What the heartbeat thread sends from now on. */
    private void publish() {
        Heartbeat next = new Heartbeat(
                config.scheduler().dpRank(),
                incarnation,
                input.endpoint(),
                scheduler.steps(),
                scheduler.heldCount(),
                scheduler.heldHash(),
                scheduler.load(System.nanoTime(), maxLoadAgeNs()));
        heartbeat = next.isSame(heartbeat) ? heartbeat : next; // an unchanged one stays the same object
        if (direct) {
            heartbeats.beatNow();
        }
    }

    /** With direct reports every heartbeat carries the load of its own moment. */
    private long maxLoadAgeNs() {
        boolean idle = heartbeat != null && heartbeat.load().numReqs() == 0 && scheduler.heldCount() == 0;
        long mostNs = idle ? MAX_IDLE_LOAD_AGE_NS : TimeUnit.MILLISECONDS.toNanos(config.heartbeatIntervalMs());
        return direct ? 0 : mostNs;
    }

    /** To be called by the thread that ran it. */
    @Override
    public void close() {
        heartbeats.close();
        input.close();
        if (stepLog != null) {
            stepLog.close();
        }
        if (together != null) {
            together.close();
        }
        if (kv != null) {
            kv.close();
        }
        sockets.close();
        context.close();
    }
}
