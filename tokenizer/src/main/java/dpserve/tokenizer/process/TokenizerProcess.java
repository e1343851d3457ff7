package dpserve.tokenizer.process;

import dpserve.io.DisaggregationMode;
import dpserve.io.Endpoints;
import dpserve.io.Env;
import dpserve.io.Incarnation;
import dpserve.io.LoadReport;
import dpserve.io.LogLimiter;
import dpserve.io.codec.IntArrayForm;
import dpserve.io.message.AbortReq;
import dpserve.io.message.BatchStrOutput;
import dpserve.io.message.ControllerHello;
import dpserve.io.message.GetInternalStateReq;
import dpserve.io.message.GetRequestReq;
import dpserve.io.message.HealthCheckOutput;
import dpserve.io.message.Hello;
import dpserve.io.message.LoadBalanceState;
import dpserve.io.message.Message;
import dpserve.io.message.RankDown;
import dpserve.io.message.Refused;
import dpserve.io.message.Role;
import dpserve.io.model.Vocabulary;
import dpserve.io.process.EpochClock;
import dpserve.io.socket.BindException;
import dpserve.io.socket.Contexts;
import dpserve.tokenizer.Control;
import dpserve.tokenizer.ControlCalls;
import dpserve.tokenizer.Deadlines;
import dpserve.tokenizer.GenerateParser;
import dpserve.tokenizer.LoadReports;
import dpserve.tokenizer.OnRankFailure;
import dpserve.tokenizer.OpenAiParser;
import dpserve.tokenizer.PromptLimits;
import dpserve.tokenizer.RankStates;
import dpserve.tokenizer.Recovery;
import dpserve.tokenizer.Resumption;
import dpserve.tokenizer.TokenizerManager;
import dpserve.tokenizer.http.ApiKeys;
import dpserve.tokenizer.http.BalanceEndpoints;
import dpserve.tokenizer.http.DashboardEndpoints;
import dpserve.tokenizer.http.HealthEndpoints;
import dpserve.tokenizer.http.HttpServer;
import dpserve.tokenizer.http.LoadEndpoints;
import dpserve.tokenizer.http.RankEndpoints;
import dpserve.tokenizer.http.ReplyContext;
import dpserve.tokenizer.http.RequestEndpoint;
import dpserve.tokenizer.http.Router;
import dpserve.tokenizer.http.ServerEndpoints;
import dpserve.tokenizer.http.ServerInfo;
import dpserve.tokenizer.http.WorkerMetrics;
import io.netty.channel.EventLoop;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One tokenizer worker. The Netty event loop is the one thread that the manager, the control calls and the sending
 * sockets live on; another thread receives and decodes, and hands over.
 */
final class TokenizerProcess implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(TokenizerProcess.class);
    private static final String VERSION = "0.1.0";

    /** Sign of life to the controller. */
    private static final long HELLO_INTERVAL_MS = 1000;

    /** While the controller has not been heard: quick, so that any start order is ready soon. */
    private static final long FIRST_HELLO_INTERVAL_MS = 100;

    /** Resolution of time limits and of polling. */
    private static final long TICK_MS = 10;

    /** The same while there is nothing that could be late. */
    private static final long IDLE_TICK_MS = 200;

    private static final long WATCH_LIMIT_NS = 2_000_000_000L;
    private static final int DEFAULT_HEALTH_TIMEOUT_S = 20;

    private final TokenizerManagerMain args;
    private final Endpoints endpoints;
    private final long incarnation;
    private final LogLimiter warnings = new LogLimiter(LOG);
    private final EpochClock clock = EpochClock.start();
    private final double started = clock.now();
    private final WorkerMetrics metrics;
    private final TokenizerSockets sockets;
    private final HttpServer http = new HttpServer(System::nanoTime);
    private final EventLoop loop = http.loop();
    private final HandOver handOver = new HandOver(loop, http::afterIo, System::nanoTime, HandOver.MAX_PENDING);
    private final ExecutorService side;
    private final Vocabulary vocabulary;
    private final Deadlines deadlines;
    private final TokenizerManager manager;
    private final Recovery recovery;
    private final RankStates ranks;
    private final ControlCalls calls;
    private final Control control;
    private final LoadReports loads;
    private long nextHelloNs = System.nanoTime();
    private long controllerEpoch;
    private boolean draining;
    private ScheduledFuture<?> ticks;

    TokenizerProcess(TokenizerManagerMain args) throws BindException {
        this.args = args;
        this.incarnation = Incarnation.ofWorker(System.currentTimeMillis(), args.workerIndex);
        this.vocabulary = args.vocabulary.open(args.chatTemplate);
        this.endpoints = args.topology.endpoints();
        this.metrics = new WorkerMetrics(args.servedModelName);
        this.sockets = new TokenizerSockets(
                Contexts.create(args.topology.keys()),
                endpoints,
                args.workerIndex,
                args.tokenIdForm,
                new SglangPeers(args.sglangController, args.sglangDetokenizer),
                warnings);
        this.side = Router.longBodies();
        this.deadlines = new Deadlines(args.requestTimeoutS);
        this.manager = new TokenizerManager(
                pullEndpoint(),
                incarnation,
                sockets,
                metrics,
                new Resumption(onRankFailure(), vocabulary.eosTokenId()),
                deadlines,
                clock);
        manager.spreadOver(args.topology.detokenizerWorkerNum);
        this.recovery = new Recovery(manager, args.topology.detokenizerWorkerNum);
        this.ranks = new RankStates(args.topology.dpSize);
        this.calls = new ControlCalls(incarnation);
        this.control = new Control(
                new Control.Worker(
                        args.workerIndex,
                        pullEndpoint(),
                        args.sglangController ? 0 : 1,
                        args.topology.tokenizerWorkerNum,
                        args.sglangDetokenizer ? 0 : args.topology.detokenizerWorkerNum),
                ranks,
                sockets,
                calls,
                this::internalState);
        long watchNs = (long) (args.loadWatchIntervalS * args.timeScale * 1e9);
        this.loads = new LoadReports(args.loadReport, args.workerIndex == 0, watchNs, sockets, loop::execute);
    }

    /** SGLang's schedulers do not know what a resumed request is: they would make its output anew. */
    private OnRankFailure onRankFailure() {
        boolean sglangRanks = args.sglangController || args.tokenIdForm == IntArrayForm.INT64;
        // A half of a pair cannot go on by itself: the router has to draw another room.
        boolean half = args.disaggregation.mode() != DisaggregationMode.NULL;
        return sglangRanks || half ? OnRankFailure.FAIL : args.onRankFailure;
    }

    private String pullEndpoint() {
        return endpoints.tokenizerPull().get(args.workerIndex);
    }

    void start() throws Exception {
        sockets.toDetokenizers(hello(Map.of())); // what a predecessor's requests left there is for nobody
        ApiKeys keys = args.keys(Env.system());
        if (!keys.any() && !Endpoints.isLoopback("tcp://" + args.topology.host + ":0")) {
            LOG.warn("no --api-key: whoever reaches {} may use and control this server", args.topology.host);
        }
        Router router = new Router(loop, side, keys);
        PromptLimits limits = new PromptLimits(args.contextLength, ranks::bound, args.vocabulary.hasLogprobs());
        // The embedded one is read when first used: better before the first request.
        side.execute(() -> vocabulary.encode("a"));
        ReplyContext context = new ReplyContext(
                args.servedModelName,
                args.weightVersion,
                args.incrementalStreaming,
                System::nanoTime,
                clock::now,
                vocabulary);
        ServerInfo info = new ServerInfo(VERSION, args.contextLength, started, args.shown(), args.modelInfo());
        int healthTimeoutS = Env.system().integer("SGLANG_HEALTH_CHECK_TIMEOUT", DEFAULT_HEALTH_TIMEOUT_S, 1, 3600);
        new ServerEndpoints(manager, control, ranks, context, info, args.admission(metrics, () -> draining))
                .addTo(
                        router,
                        new GenerateParser(vocabulary, limits, TokenizerManagerMain::newRid),
                        new OpenAiParser(vocabulary, limits, TokenizerManagerMain::newRid));
        new HealthEndpoints(manager, ranks, context, loop, healthTimeoutS, () -> draining).addTo(router);
        new BalanceEndpoints(control, context).addTo(router);
        new RankEndpoints(control, context).addTo(router);
        new RequestEndpoint(control, manager, context).addTo(router);
        new LoadEndpoints(control, ranks, limits, context, VERSION).addTo(router);
        new DashboardEndpoints(control, ranks, context, loop).addTo(router);
        http.listen(args.topology.host, args.topology.port, args.maxRequestBytes, router);
        sockets.receive(message -> handOver.add(() -> onMessage(message)), () -> {
            if (recovery.isSuspecting()) {
                handOver.add(() -> recovery.onCaughtUp(System.nanoTime()));
            }
        });
        ticks = loop.schedule(this::guardedTick, 0, TimeUnit.MILLISECONDS);
        LOG.info(
                "READY tokenizer {} http=http://{}:{} pull={} push={}",
                args.workerIndex,
                args.topology.host,
                args.topology.port,
                endpoints.tokenizerPull().get(args.workerIndex),
                endpoints.tokenizerPush().get(args.workerIndex));
    }

    private void onMessage(Message message) {
        long now = System.nanoTime();
        if (message instanceof BatchStrOutput m) {
            loads.onPiggybacked(m.load(), now);
            manager.onBatch(m, now);
        } else if (message instanceof AbortReq m) {
            manager.onAbortAnswer(m, now);
        } else if (message instanceof Refused m) {
            manager.onRefused(m, now);
        } else if (message instanceof RankDown m) {
            ranks.onDown(m);
            manager.onRankDown(m, now);
        } else if (message instanceof ControllerHello m) {
            onControllerHello(m, now);
        } else if (message instanceof HealthCheckOutput m) {
            manager.onHealthCheck(m);
        } else if (message instanceof GetInternalStateReq m) {
            control.onStateQuestion(m);
        } else if (message instanceof GetRequestReq m) {
            control.onRequestQuestion(m, manager.find(m.userRid(), now));
        } else if (message instanceof LoadBalanceState m && m.rid() == null) {
            onLoadBalance(m);
        } else if (!ranks.onNews(message) && !recovery.onMessage(message, now) && !control.onAnswer(message, now)) {
            warnings.warn("unexpected_message", message.getClass().getSimpleName());
        }
    }

    private void onLoadBalance(LoadBalanceState state) {
        try {
            loads.use(LoadReport.of(state.report()));
        } catch (IllegalArgumentException e) {
            warnings.warn("bad_load_balance", e.getMessage());
        }
    }

    private void onControllerHello(ControllerHello hello, long now) {
        if (controllerEpoch != 0 && controllerEpoch != hello.epoch()) {
            LOG.info("the controller was restarted (epoch {})", hello.epoch());
        }
        controllerEpoch = hello.epoch();
        ranks.onHello(hello, now);
        recovery.onController(hello);
    }

    /** An exception would end the ticks for good. */
    private void guardedTick() {
        try {
            tick();
        } catch (RuntimeException e) {
            warnings.warn("failed_tick", e.toString());
        }
        boolean idle =
                manager.size() == 0 && loads.path() != LoadReport.WATCH && ranks.controllerAlive(System.nanoTime());
        ticks = loop.schedule(this::guardedTick, idle ? IDLE_TICK_MS : TICK_MS, TimeUnit.MILLISECONDS);
    }

    private void tick() {
        long now = System.nanoTime();
        if (now - nextHelloNs >= 0) {
            boolean heard = ranks.controllerAlive(now);
            nextHelloNs = now + TimeUnit.MILLISECONDS.toNanos(heard ? HELLO_INTERVAL_MS : FIRST_HELLO_INTERVAL_MS);
            if (args.sglangController) {
                ranks.takeForUp(now);
            } else {
                long sent = recovery.question(now);
                sockets.hello(hello(sent == 0 ? Map.of() : Map.of(Hello.SENT, sent)));
            }
        }
        sockets.greetNewPeer();
        recovery.onTick(now);
        calls.tick(now);
        manager.onTick(now);
        if (loads.shouldPoll(now)) {
            control.loads(WATCH_LIMIT_NS, answer -> loads.onPolled(answer.loads()), now);
        }
    }

    private Hello hello(Map<String, Long> info) {
        return new Hello(
                Role.TOKENIZER,
                args.workerIndex,
                incarnation,
                ownEndpoints(),
                Hello.PROTOCOL_VERSION,
                ProcessHandle.current().pid(),
                info,
                new String[0]);
    }

    private Map<String, String> ownEndpoints() {
        return Map.of(
                Hello.PULL,
                pullEndpoint(),
                Hello.PUSH,
                endpoints.tokenizerPush().get(args.workerIndex));
    }

    private Map<String, Object> internalState() {
        return new WorkerState(
                        args.workerIndex, incarnation, ownEndpoints(), manager, deadlines, loads, metrics, warnings)
                .export();
    }

    /** Refuses new requests and waits until the running ones have ended, at most {@code timeoutS} seconds. */
    void drain(int timeoutS) throws Exception {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(timeoutS);
        loop.submit(() -> {
                    draining = true;
                    LOG.info("draining, {} requests are running", manager.size());
                })
                .get();
        while (loop.submit(manager::size).get() > 0 && System.nanoTime() - deadline < 0) {
            TimeUnit.MILLISECONDS.sleep(TICK_MS);
        }
    }

    @Override
    public void close() {
        http.stopListening();
        handOver.close();
        sockets.stopReceiving();
        List<Runnable> last = new ArrayList<>(side.shutdownNow());
        if (!last.isEmpty()) {
            LOG.warn("{} long prompts were not parsed any more", last.size());
        }
        loop.submit(() -> {
                    if (ticks != null) {
                        ticks.cancel(false);
                    }
                    handOver.finish();
                    sockets.close();
                })
                .awaitUninterruptibly();
        http.close();
        sockets.closeContext();
    }
}
