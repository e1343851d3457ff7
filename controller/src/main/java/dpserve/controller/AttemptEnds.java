package dpserve.controller;

import dpserve.io.codec.EndedRids;
import dpserve.io.message.TokenizedGenerateReqInput;

/** What a worker says has ended leaves the rid map, or the queue of those that no rank had yet. */
final class AttemptEnds {
    private final RidMap rids;
    private final RequestRouter router;
    private final Counters counters;

    AttemptEnds(RidMap rids, RequestRouter router, Counters counters) {
        this.rids = rids;
        this.router = router;
        this.counters = counters;
    }

    void end(String[] ended, long nowNs) {
        for (String rid : ended) {
            end(rid);
        }
        router.releaseHeld(nowNs);
    }

    /** As above, making texts only of what is not in the map. */
    void end(EndedRids ended, long nowNs) {
        for (int i = 0; i < ended.count(); i++) {
            if (rids.end(ended.rid(i))) {
                counters.add(Count.ENDED);
            } else {
                end(ended.rid(i).toString());
            }
        }
        router.releaseHeld(nowNs);
    }

    private void end(String rid) {
        if (rids.end(rid)) {
            counters.add(Count.ENDED);
        } else if (router.held().remove(rid) == null && !TokenizedGenerateReqInput.isHealthCheck(rid)) {
            counters.add(Count.UNKNOWN_ENDS);
        }
    }
}
