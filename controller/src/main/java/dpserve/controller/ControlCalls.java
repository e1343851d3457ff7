package dpserve.controller;

import dpserve.io.LogLimiter;
import dpserve.io.message.GetInternalStateReq;
import dpserve.io.message.GetInternalStateReqOutput;

/**
 * Control calls (docs/protocol.md section 4.3): each goes as it came to every rank that is up or draining, and each rank
 * answers the caller directly. GetInternalStateReq is for the tokenizer workers and the controller too.
 */
final class ControlCalls {
    private final RankTable table;
    private final TokenizerWorkers workers;
    private final InternalState state;
    private final ControllerOutput out;
    private final Counters counters;
    private final LogLimiter limiter;

    ControlCalls(
            RankTable table,
            TokenizerWorkers workers,
            InternalState state,
            ControllerOutput out,
            Counters counters,
            LogLimiter limiter) {
        this.table = table;
        this.workers = workers;
        this.state = state;
        this.out = out;
        this.counters = counters;
        this.limiter = limiter;
    }

    /** Sends a frame to every rank that is up or draining. */
    void broadcast(byte[] frame) {
        for (Rank rank : table.all()) {
            if (rank.isAlive()) {
                out.toRank(rank.dpRank(), frame);
            }
        }
    }

    /** A message without a record here: broadcast if SGLang's controller would, else dropped and counted. */
    void onUnknownTag(String tag, byte[] frame) {
        if (ControlTags.isBroadcast(tag)) {
            broadcast(frame);
        } else {
            limiter.warn("unknown_tag", tag);
        }
    }

    /** Asks everybody but the caller, and answers for the controller. */
    void onInternalStateCall(int fromWorker, GetInternalStateReq call, byte[] frame, long nowNs) {
        broadcast(frame);
        for (TokenizerWorkers.Worker w : workers.all()) {
            if (w.saidHello() && w.index != fromWorker) {
                workers.forward(w.index, frame);
            }
        }
        TokenizerWorkers.Worker caller = workers.byEndpoint(call.httpWorkerIpc());
        if (caller == null) {
            counters.add(Count.UNKNOWN_HTTP_WORKER_IPC);
        } else if (caller.saidHello()) {
            workers.tell(
                    caller.index, new GetInternalStateReqOutput(call.rid(), call.httpWorkerIpc(), state.export(nowNs)));
        }
    }

    /** One tokenizer worker answers another. */
    void forwardAnswer(GetInternalStateReqOutput answer, byte[] frame) {
        TokenizerWorkers.Worker caller = workers.byEndpoint(answer.httpWorkerIpc());
        if (caller == null) {
            counters.add(Count.UNKNOWN_HTTP_WORKER_IPC);
        } else {
            workers.forward(caller.index, frame);
        }
    }
}
