package dpserve.controller;

import dpserve.controller.policy.DispatchPolicy;
import dpserve.controller.policy.RequestInfo;
import dpserve.io.LogLimiter;
import dpserve.io.message.AbortReq;
import dpserve.io.message.FinishReason;
import dpserve.io.message.Refused;
import java.nio.ByteBuffer;
import java.util.function.IntPredicate;
import java.util.function.LongToDoubleFunction;

/**
 * Sends each request to a rank: pinned ones to theirs, all others where the policy says, and while no rank is live they
 * wait. What cannot be sent is refused with a reason; nothing is dropped silently.
 */
final class RequestRouter {
    private static final int BAD_REQUEST = 400;
    private static final int UNAVAILABLE = 503;

    private final ControllerConfig config;
    private final LoadBalance balance;
    private final LoadView view;
    private final RidMap rids;
    private final TokenizerWorkers workers;
    private final RankLiveness liveness;
    private final ControllerOutput out;
    private final Counters counters;
    private final LogLimiter limiter;
    private final LongToDoubleFunction epochSeconds;
    private final HeldRequests held = new HeldRequests();
    private int nextProbeRank;

    RequestRouter(
            ControllerConfig config,
            LoadBalance balance,
            LoadView view,
            RidMap rids,
            TokenizerWorkers workers,
            RankLiveness liveness,
            ControllerOutput out,
            Counters counters,
            LogLimiter limiter,
            LongToDoubleFunction epochSeconds) {
        this.config = config;
        this.balance = balance;
        this.view = view;
        this.rids = rids;
        this.workers = workers;
        this.liveness = liveness;
        this.out = out;
        this.counters = counters;
        this.limiter = limiter;
        this.epochSeconds = epochSeconds;
    }

    /** Requests that wait for a rank. */
    HeldRequests held() {
        return held;
    }

    /**
     * Sends a request to a rank, keeps it until there is one, or refuses it.
     *
     * @param worker owning tokenizer worker, or {@link RidMap#NO_WORKER}
     * @param legacy whether it came on a stream without hello: then its bytes stay as they are and the rid map does not
     *     learn of it
     * @param sinceNs when it arrived
     */
    void route(int worker, boolean legacy, RequestInfo request, byte[] frame, long sinceNs, long nowNs) {
        int pin = request.routedDpRank();
        if (pin != RequestInfo.NO_RANK) {
            routePinned(pin, worker, legacy, request, frame, nowNs);
            return;
        }
        boolean probe = request.isHealthCheck();
        // A legacy rank that takes no more stops being live, so this ends.
        while (probe ? view.anyUp() : view.liveCount() > 0) {
            int dpRank = probe ? nextRank(view::isUp) : choose(request, nowNs);
            if (dpRank == DispatchPolicy.UNFIT) {
                refuse(worker, legacy, request, BAD_REQUEST, "the request lacks the bootstrap_room it is routed by");
                return;
            }
            if (dpRank == DispatchPolicy.NOT_LIVE) {
                String reason = Refused.ROOM_UNAVAILABLE
                        + ": it is down, draining, or has all the requests it may have (--max-requests-per-rank "
                        + config.limits().rankCredit() + ")";
                refuse(worker, legacy, request, UNAVAILABLE, reason);
                return;
            }
            if (!probe && !view.isLive(dpRank)) {
                counters.add(Count.POLICY_CHOSE_DEAD_RANK);
                dpRank = nextRank(view::isLive);
            }
            if (send(dpRank, worker, legacy, probe, request, frame, nowNs)) {
                return;
            }
            if (dpRank >= config.legacyRanks()) {
                refuse(worker, legacy, request, UNAVAILABLE, "the queue to dp_rank " + dpRank + " is full");
                return;
            }
            liveness.onLegacyConnection(dpRank, false);
        }
        if (held.bytes() + frame.length > config.limits().queueBytes()) {
            refuse(
                    worker,
                    legacy,
                    request,
                    UNAVAILABLE,
                    "the queue for a rank is full (--max-queue-bytes "
                            + config.limits().queueBytes() + ")");
            return;
        }
        held.add(new HeldRequests.Held(worker, legacy, request, frame, sinceNs));
        counters.add(Count.HELD);
    }

    private int choose(RequestInfo request, long nowNs) {
        int dpRank = balance.policy().choose(view, request);
        balance.recorder().onDecision(view, request, balance.policy(), dpRank, nowNs);
        return dpRank;
    }

    private void routePinned(int pin, int worker, boolean legacy, RequestInfo request, byte[] frame, long nowNs) {
        if (pin < 0 || pin >= view.slots()) {
            String range = "routed_dp_rank must be 0 to " + (view.slots() - 1);
            refuse(worker, legacy, request, BAD_REQUEST, range);
        } else if (view.isUp(pin) && !view.isLive(pin) && !request.isHealthCheck()) {
            String reason = "dp_rank " + pin + " has all the requests it may have (--max-requests-per-rank "
                    + config.limits().rankCredit() + ")";
            refuse(worker, legacy, request, UNAVAILABLE, reason);
        } else if (!view.isUp(pin)) {
            refuse(
                    worker,
                    legacy,
                    request,
                    UNAVAILABLE,
                    "dp_rank " + pin + (liveness.isDraining(pin) ? " is draining" : " is not up"));
        } else {
            boolean probe = request.isHealthCheck();
            if (!send(pin, worker, legacy, probe, request, frame, nowNs)) {
                refuse(worker, legacy, request, UNAVAILABLE, "the queue to dp_rank " + pin + " is full");
            }
        }
    }

    private boolean send(
            int dpRank, int worker, boolean legacy, boolean probe, RequestInfo request, byte[] frame, long nowNs) {
        if (!legacy && request.dispatchTimeAtEnd()) {
            ByteBuffer.wrap(frame).putDouble(frame.length - Double.BYTES, epochSeconds.applyAsDouble(nowNs));
        }
        if (!out.toRank(dpRank, frame)) {
            return false;
        }
        counters.add(Count.FORWARDED);
        if (probe) {
            counters.add(Count.HEALTH_PROBES);
        } else if (legacy) {
            view.dispatchedLegacy(dpRank, request.promptTokens());
        } else {
            rids.begin(request.ridSpan(), worker, dpRank, view.incarnation(dpRank), request.promptTokens());
            view.dispatched(dpRank, request.promptTokens());
        }
        return true;
    }

    /**
     * The next rank that is eligible, in turn, so the policy's state is left alone. Probes take full ranks too: they cost
     * no credit, and an overload must not look like a dead server.
     */
    private int nextRank(IntPredicate eligible) {
        do {
            nextProbeRank = (nextProbeRank + 1) % view.slots();
        } while (!eligible.test(nextProbeRank));
        return nextProbeRank;
    }

    /** Ends a request that reached no rank. SGLang's tokenizer does not know Refused, so a legacy one gets an abort. */
    void refuse(int worker, boolean legacy, RequestInfo request, int status, String reason) {
        counters.add(Count.REFUSED);
        if (legacy) {
            limiter.warn("refused_legacy", reason);
            endUnstarted(worker, request, new FinishReason.Abort(reason, status, null));
        } else {
            workers.tell(worker, new Refused(request.rid(), status, reason));
        }
    }

    /** Tells the owner that a request that never reached a rank has ended, as a scheduler would. */
    void endUnstarted(int worker, RequestInfo request, FinishReason.Abort reason) {
        if (worker != RidMap.NO_WORKER && request.ridSpan() != null) {
            workers.tell(worker, new AbortReq(request.rid(), request.httpWorkerIpc(), false, reason, reason.message()));
        }
    }

    /** Sends what waited, once a rank is live. */
    void releaseHeld(long nowNs) {
        while (held.size() > 0 && view.liveCount() > 0) {
            HeldRequests.Held h = held.poll();
            route(h.worker(), h.legacy(), h.info(), h.frame(), h.sinceNs(), nowNs);
        }
    }

    /** Refuses what has waited too long. */
    void expireHeld(long nowNs) {
        if (view.anyUp()) {
            return; // they wait for room, and as long as their clients do
        }
        for (HeldRequests.Held h : held.removeUntil(nowNs - config.noRankTimeoutNs())) {
            refuse(h.worker(), h.legacy(), h.info(), UNAVAILABLE, "no rank is up");
        }
    }
}
