package dpserve.controller;

import dpserve.controller.policy.RequestInfo;
import dpserve.io.LogLimiter;
import dpserve.io.codec.EndedRids;
import dpserve.io.message.AbortReq;
import dpserve.io.message.ControllerHello;
import dpserve.io.message.DrainRank;
import dpserve.io.message.EndNotice;
import dpserve.io.message.FlushCacheReqInput;
import dpserve.io.message.GetInternalStateReq;
import dpserve.io.message.GetInternalStateReqOutput;
import dpserve.io.message.GetLoadReqInput;
import dpserve.io.message.GetLoadReqOutput;
import dpserve.io.message.GetRequestReq;
import dpserve.io.message.GetRequestReqOutput;
import dpserve.io.message.Heartbeat;
import dpserve.io.message.HeldRids;
import dpserve.io.message.Hello;
import dpserve.io.message.Message;
import dpserve.io.message.Role;
import dpserve.io.message.SetLoadBalance;
import dpserve.io.message.ShutdownReq;
import dpserve.io.message.WatchLoadUpdateReq;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.LongToDoubleFunction;

/**
 * The controller: requests, ends, aborts, control calls, reports, hellos, heartbeats and time come in; forwards and
 * notices go out through {@link ControllerOutput}. It owns the ranks and no request: it reads the few positions it needs
 * and forwards the original bytes.
 *
 * <p>Single-threaded, without clock or socket; {@code nowNs} is monotonic. What was read together may share one time, and what overtakes
 * it brings its own: so a time may follow a later one, by no more than dealing with those takes; that counts as no time passed. Frames
 * that are handed in belong to the controller. Messages of one stream must be handed in in their order; reports may overtake them.
 */
public final class DataParallelController {

    /** How often each tokenizer worker hears of the controller. */
    static final long HELLO_INTERVAL_NS = 1_000_000_000L;

    private final ControllerConfig config;
    private final LoadBalance balance;
    private final LogLimiter limiter;
    private final Counters counters = new Counters();
    private final RidMap rids;
    private final RankTable table;
    private final LoadView view;
    private final TokenizerWorkers workers;
    private final RankLiveness liveness;
    private final RankDrain drain;
    private final RequestRouter router;
    private final AttemptEnds ends;
    private final AbortRouter aborts;
    private final InternalState state;
    private final ControlCalls calls;
    private final Census census;
    private final Reconciliation reconciliation;
    private final Detokenizers detokenizers;
    private final List<RequestStream> streams = new ArrayList<>();

    private boolean helloSent;
    private long lastHelloNs;

    /**
     * @param legacyInputs streams besides those of the configured workers; they follow the workers' in number
     * @param limiter for everything a peer can trigger
     * @param epochSeconds seconds since the epoch at a monotonic time, for dispatch_time
     */
    public DataParallelController(
            ControllerConfig config,
            int legacyInputs,
            LoadBalance balance,
            ControllerOutput out,
            LogLimiter limiter,
            LongToDoubleFunction epochSeconds) {
        this.config = config;
        this.balance = balance;
        this.limiter = limiter;
        rids = new RidMap(config.limits().rankCredit());
        table = new RankTable(config.dpSize(), config.legacyRanks());
        view = new LoadView(rids, config.dpSize());
        workers = new TokenizerWorkers(config.workerPullEndpoints(), out, counters, limiter);
        liveness = new RankLiveness(config, table, rids, view, workers, out, counters, limiter);
        drain = new RankDrain(table, rids, view, workers, liveness, out, counters);
        router =
                new RequestRouter(config, balance, view, rids, workers, liveness, out, counters, limiter, epochSeconds);
        ends = new AttemptEnds(rids, router, counters);
        state = new InternalState(config, balance, table, rids, view, workers, router, liveness, counters, limiter);
        DecisionHistory history = new DecisionHistory(balance.setting().method(), epochSeconds, balance.recorder());
        balance.replaceRecorder(history);
        calls = new ControlCalls(table, workers, balance, history, state, out, counters, limiter);
        aborts = new AbortRouter(rids, router, workers, calls, out, counters);
        census = new Census(config, table, rids, router.held(), workers, aborts, counters);
        reconciliation = new Reconciliation(table, rids, workers, aborts, out, counters, limiter);
        detokenizers = new Detokenizers(workers, limiter);
        for (int w = 0; w < config.workerPullEndpoints().size(); w++) {
            streams.add(new RequestStream(w));
        }
        for (int i = 0; i < legacyInputs; i++) {
            streams.add(new RequestStream(RidMap.NO_WORKER));
        }
    }

    /**
     * A single request.
     *
     * @param stream number of the stream it came on
     * @param frame the whole message
     */
    public void onRequest(int stream, RequestInfo request, byte[] frame, long nowNs) {
        RequestStream s = streams.get(stream);
        TokenizerWorkers.Worker owner = workers.get(s.worker);
        if (s.isStale(owner)) {
            counters.add(Count.STALE_STREAM_FRAMES);
            return;
        }
        counters.add(Count.REQUESTS);
        boolean legacy = !s.saidHello(owner);
        if (legacy) {
            counters.add(Count.LEGACY_REQUESTS);
        } else if (request.ridSpan() == null) {
            limiter.warn("bad_request", "a request without rid on a stream that said hello");
            return;
        } else if (rids.contains(request.ridSpan()) || router.held().contains(request)) {
            counters.add(Count.DUPLICATE_RIDS);
            return;
        }
        router.route(s.worker, legacy, request, frame, nowNs, nowNs);
    }

    /**
     * Any message but a request, on a request stream.
     *
     * @param frame the message's bytes, for forwarding
     */
    public void onStreamMessage(int stream, Message message, byte[] frame, long nowNs) {
        RequestStream s = streams.get(stream);
        if (message instanceof Hello hello) {
            onStreamHello(s, hello, nowNs);
        } else if (s.isStale(workers.get(s.worker))) {
            counters.add(Count.STALE_STREAM_FRAMES);
        } else if (message instanceof EndNotice notice) {
            ends.end(notice.rids(), nowNs);
        } else if (message instanceof AbortReq abort) {
            aborts.onAbort(abort, !s.saidHello(workers.get(s.worker)), frame);
        } else if (message instanceof WatchLoadUpdateReq update) {
            onReports(update.loads(), nowNs);
        } else if (message instanceof GetInternalStateReq call) {
            calls.onInternalStateCall(s.worker, call, frame, nowNs);
        } else if (message instanceof GetRequestReq call) {
            calls.onRequestCall(s.worker, call, frame);
        } else if (message instanceof GetRequestReqOutput answer) {
            calls.forwardAnswer(answer.httpWorkerIpc(), frame);
        } else if (message instanceof DrainRank call) {
            drain.onCall(s.worker, call);
            router.releaseHeld(nowNs);
        } else if (message instanceof SetLoadBalance call) {
            calls.onSetLoadBalance(s.worker, call, nowNs);
        } else if (message instanceof GetInternalStateReqOutput answer) {
            calls.forwardAnswer(answer.httpWorkerIpc(), frame);
        } else if (message instanceof FlushCacheReqInput || message instanceof ShutdownReq) {
            calls.broadcast(frame);
        } else if (message instanceof GetLoadReqInput) {
            calls.broadcastToRegistered(frame);
        } else {
            limiter.warn("unexpected_message", message.getClass().getSimpleName() + " in a request stream");
        }
    }

    /** An EndNotice, read no further than where its rids lie. */
    public void onEndNotice(int stream, EndedRids ended, long nowNs) {
        if (streams.get(stream).isStale(workers.get(streams.get(stream).worker))) {
            counters.add(Count.STALE_STREAM_FRAMES);
            return;
        }
        ends.end(ended, nowNs);
    }

    /** A control message that this project has no record for. */
    public void onUnknownTag(int stream, String tag, byte[] frame) {
        if (!streams.get(stream).isStale(workers.get(streams.get(stream).worker))) {
            calls.onUnknownTag(tag, frame);
        }
    }

    /** A message on the controller's own endpoint: hellos, heartbeats, direct reports, lists of what ranks hold. */
    public void onDirectMessage(Message message, long nowNs) {
        if (message instanceof Heartbeat beat) {
            liveness.onHeartbeat(beat, nowNs);
            reconciliation.onHeartbeat(beat, nowNs);
        } else if (message instanceof HeldRids answer) {
            reconciliation.onHeld(answer, nowNs);
        } else if (message instanceof Hello hello) {
            onDirectHello(hello, nowNs);
        } else if (message instanceof WatchLoadUpdateReq update) {
            onReports(update.loads(), nowNs);
        } else if (message instanceof GetLoadReqOutput load) {
            onReports(List.of(load), nowNs);
        } else {
            limiter.warn("unexpected_message", message.getClass().getSimpleName() + " on the controller's endpoint");
        }
    }

    /** Loads of one message; what is not newer than what is known is dropped before the policy sees it. */
    public void onReports(List<GetLoadReqOutput> loads, long nowNs) {
        List<GetLoadReqOutput> newer = new ArrayList<>(loads.size());
        long impossibleBefore = view.impossibleCounts();
        for (GetLoadReqOutput load : loads) {
            switch (view.report(load, nowNs)) {
                case APPLIED -> newer.add(load);
                case STALE -> counters.add(Count.REPORTS_STALE);
                case UNKNOWN_RANK -> counters.add(Count.REPORTS_UNKNOWN_RANK);
                case IMPOSSIBLE -> counters.add(Count.REPORTS_IMPOSSIBLE);
            }
        }
        if (view.impossibleCounts() != impossibleBefore) {
            limiter.warn(
                    "impossible_count",
                    "a report of dp_rank " + loads.get(loads.size() - 1).dpRank());
        }
        if (!newer.isEmpty()) {
            counters.add(Count.REPORTS_APPLIED, newer.size());
            balance.recorder().onReport(view, newer, nowNs);
            balance.policy().onReport(view, newer);
        }
    }

    /** A socket bound for a legacy rank can take frames now, or cannot any more. */
    public void onLegacyConnection(int dpRank, boolean writable, long nowNs) {
        liveness.onLegacyConnection(dpRank, writable);
        router.releaseHeld(nowNs);
    }

    /** Time passes; to be called at least every 100 ms. */
    public void onTick(long nowNs) {
        liveness.onTick(nowNs);
        drain.onTick();
        router.releaseHeld(nowNs);
        router.expireHeld(nowNs);
        census.onTick(nowNs);
        if (!rids.isConsistent()) {
            limiter.warn("rid_map_inconsistent", "the sums of the rid map cannot be right");
        }
        if (!helloSent || nowNs - lastHelloNs >= HELLO_INTERVAL_NS) {
            helloSent = true;
            lastHelloNs = nowNs;
            workers.tellAll(greeting());
        }
    }

    private ControllerHello greeting() {
        return new ControllerHello(config.epoch(), Hello.PROTOCOL_VERSION);
    }

    private void onDirectHello(Hello hello, long nowNs) {
        if (!isUsable(hello)) {
            return;
        }
        switch (hello.role()) {
            case SCHEDULER -> {
                if (liveness.onHello(hello, nowNs)) {
                    calls.introduceBalance(table.get(hello.index()));
                    drain.onRank(table.get(hello.index()));
                    census.onRank(hello);
                }
                router.releaseHeld(nowNs);
            }
            case TOKENIZER -> greet(hello);
            case DETOKENIZER -> detokenizers.onHello(hello);
            case CONTROLLER -> limiter.warn("bad_hello", "a hello of another controller");
        }
    }

    private void onStreamHello(RequestStream s, Hello hello, long nowNs) {
        if (!isUsable(hello)) {
            return;
        }
        boolean foreign = s.worker != RidMap.NO_WORKER && s.worker != hello.index();
        if (hello.role() != Role.TOKENIZER || foreign) {
            limiter.warn("bad_hello", "a request stream named a role or number that is not its own");
            return;
        }
        if (greet(hello)) {
            s.worker = hello.index();
            s.incarnation = hello.incarnation();
            census.onStreamHello(hello);
        }
    }

    private boolean isUsable(Hello hello) {
        if (hello.protocolVersion() != Hello.PROTOCOL_VERSION) {
            limiter.warn("bad_hello", "protocol version " + hello.protocolVersion());
            return false;
        }
        return true;
    }

    /** A worker said hello; a new incarnation learns who is here, and what its predecessor left behind is ended. */
    private boolean greet(Hello hello) {
        TokenizerWorkers.Greeting greeting = workers.hello(hello);
        if (greeting != TokenizerWorkers.Greeting.NEW) {
            return greeting == TokenizerWorkers.Greeting.KNOWN;
        }
        int worker = hello.index();
        router.held().removeWorker(worker);
        List<RidMap.Entry> orphans = rids.endWorker(worker);
        orphans.forEach(aborts::abortOnRank);
        counters.add(Count.ORPHANED_BY_WORKER, orphans.size());
        rids.adopt(worker, hello.incarnation());
        workers.tell(worker, greeting());
        calls.introduceBalance(worker);
        liveness.introduceRanks(worker);
        drain.introduce(worker);
        census.onWorker(worker);
        return true;
    }

    /** The load view, for inspection. */
    public LoadView view() {
        return view;
    }

    /** The rid map, for inspection. */
    public RidMap rids() {
        return rids;
    }

    /** The ranks, for inspection. */
    public RankTable ranks() {
        return table;
    }

    /** The counters. */
    public Counters counters() {
        return counters;
    }

    /** Requests that wait because no rank is live. */
    public int heldRequests() {
        return router.held().size();
    }

    /** The map that GetInternalStateReq is answered with. */
    public Map<String, Object> internalState(long nowNs) {
        return state.export(nowNs);
    }
}
