package dpserve.controller;

import dpserve.io.WireRid;
import dpserve.io.message.AbortReq;
import dpserve.io.message.FinishReason;
import java.util.List;

/**
 * Takes an abort to whoever holds the request: a request that waits at the controller ends here, a dispatched one on
 * its rank, and a user's rid is expanded to all its attempts, whoever owns them.
 */
final class AbortRouter {
    /** SGLang's words for a request that ended before it ran. */
    private static final String UNSTARTED = "Abort in waiting queue";

    private final RidMap rids;
    private final RequestRouter router;
    private final TokenizerWorkers workers;
    private final ControlCalls calls;
    private final ControllerOutput out;
    private final Counters counters;

    AbortRouter(
            RidMap rids,
            RequestRouter router,
            TokenizerWorkers workers,
            ControlCalls calls,
            ControllerOutput out,
            Counters counters) {
        this.rids = rids;
        this.router = router;
        this.workers = workers;
        this.calls = calls;
        this.out = out;
        this.counters = counters;
    }

    /**
     * @param legacy whether it came on a stream without hello: then, as in SGLang, it goes to every rank, because
     *     nobody knows which one has the request
     * @param frame the message's bytes, forwarded as they are where possible
     */
    void onAbort(AbortReq abort, boolean legacy, byte[] frame) {
        counters.add(Count.ABORTS);
        if (abort.abortAll()) {
            router.held().removeAll().forEach(this::endHeld);
            calls.broadcast(frame);
        } else if (abort.rid() == null || abort.rid().isEmpty()) {
            // SGLang matches by prefix, so an empty rid would end everything.
            counters.add(Count.ABORTS_UNKNOWN_RID);
        } else if (legacy) {
            router.held().removeUser(abort.rid()).forEach(this::endHeld);
            calls.broadcast(frame);
        } else if (WireRid.isWireRid(abort.rid())) {
            abortAttempt(abort.rid(), frame);
        } else {
            abortUser(abort.rid(), frame);
        }
    }

    private void abortAttempt(String wireRid, byte[] frame) {
        HeldRequests.Held waiting = router.held().remove(wireRid);
        if (waiting != null) {
            endHeld(waiting);
            return;
        }
        RidMap.Entry entry = rids.get(wireRid);
        if (entry != null) {
            out.toRank(entry.dpRank(), frame);
            return;
        }
        // Ended a moment ago, or dispatched by a predecessor of this controller: then some rank still has it.
        counters.add(Count.ABORTS_UNKNOWN_RID);
        calls.broadcast(frame);
    }

    private void abortUser(String userRid, byte[] frame) {
        List<HeldRequests.Held> waiting = router.held().removeUser(userRid);
        waiting.forEach(this::endHeld);
        List<RidMap.Entry> entries = rids.ofUser(userRid);
        for (RidMap.Entry e : entries) {
            abortOnRank(e);
        }
        if (waiting.isEmpty() && entries.isEmpty()) {
            // Not in the map: perhaps a legacy stream's request, whose rid is the user's own.
            counters.add(Count.ABORTS_UNKNOWN_RID);
            calls.broadcast(frame);
        }
    }

    /** Aborts one attempt on its rank in the name of its owner, so that the answer goes there. */
    void abortOnRank(RidMap.Entry entry) {
        TokenizerWorkers.Worker owner = workers.get(entry.worker());
        out.toRank(entry.dpRank(), AbortReq.of(entry.rid(), owner == null ? null : owner.pullEndpoint));
    }

    private void endHeld(HeldRequests.Held h) {
        router.endUnstarted(h.worker(), h.info(), new FinishReason.Abort(UNSTARTED, null, null));
    }
}
