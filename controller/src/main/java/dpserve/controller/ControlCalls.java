package dpserve.controller;

import dpserve.io.LogLimiter;
import dpserve.io.message.GetInternalStateReq;
import dpserve.io.message.GetInternalStateReqOutput;
import dpserve.io.message.GetRequestReq;
import dpserve.io.message.GetRequestReqOutput;
import dpserve.io.message.Role;
import dpserve.io.message.SetLoadBalance;
import java.util.Map;

/**
 * Control calls (docs/protocol.md section 4.3): each goes as it came to every rank that is up or draining, and each rank
 * answers the caller directly. GetInternalStateReq is for the tokenizer workers and the controller too.
 */
final class ControlCalls {
    private final RankTable table;
    private final TokenizerWorkers workers;
    private final LoadBalance balance;
    private final DecisionHistory history;
    private final InternalState state;
    private final ControllerOutput out;
    private final Counters counters;
    private final LogLimiter limiter;

    ControlCalls(
            RankTable table,
            TokenizerWorkers workers,
            LoadBalance balance,
            DecisionHistory history,
            InternalState state,
            ControllerOutput out,
            Counters counters,
            LogLimiter limiter) {
        this.table = table;
        this.workers = workers;
        this.balance = balance;
        this.history = history;
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

    /** As {@link #broadcast}, without legacy ranks: what SGLang's release does not know would end its schedulers. */
    void broadcastToRegistered(byte[] frame) {
        for (Rank rank : table.all()) {
            if (rank.isAlive() && !rank.isLegacy()) {
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

    /** Everyone hears of a change, and the caller what became of its call. */
    void onSetLoadBalance(int worker, SetLoadBalance call, long nowNs) {
        LoadBalance.Setting before = balance.setting();
        String error = "";
        try {
            balance.change(call, nowNs);
        } catch (IllegalArgumentException e) {
            error = e.getMessage();
        }
        if (!balance.setting().equals(before)) {
            counters.add(Count.LOAD_BALANCE_CHANGES);
            workers.tellAll(balance.state(null, null, ""));
            table.all().forEach(this::tellBalance);
        }
        workers.tell(worker, balance.state(call.rid(), call.httpWorkerIpc(), error));
    }

    /** A new rank learns along which path its loads are wanted, if that is not the one of its flags. */
    void introduceBalance(Rank rank) {
        if (balance.differsFromStart()) {
            tellBalance(rank);
        }
    }

    /** As the other, for a tokenizer worker. */
    void introduceBalance(int worker) {
        if (balance.differsFromStart()) {
            workers.tell(worker, balance.state(null, null, ""));
        }
    }

    private void tellBalance(Rank rank) {
        if (rank.isAlive() && !rank.isLegacy()) {
            out.toRank(rank.dpRank(), balance.state(null, null, ""));
        }
    }

    /** Asks everybody but the caller, and answers for the controller. */
    void onInternalStateCall(int fromWorker, GetInternalStateReq call, byte[] frame, long nowNs) {
        broadcast(frame);
        askOtherWorkers(fromWorker, frame);
        TokenizerWorkers.Worker caller = workers.byEndpoint(call.httpWorkerIpc());
        if (caller == null) {
            counters.add(Count.UNKNOWN_HTTP_WORKER_IPC);
        } else if (caller.saidHello()) {
            workers.tell(
                    caller.index, new GetInternalStateReqOutput(call.rid(), call.httpWorkerIpc(), state.export(nowNs)));
        }
    }

    private void askOtherWorkers(int fromWorker, byte[] frame) {
        for (TokenizerWorkers.Worker w : workers.all()) {
            if (w.saidHello() && w.index != fromWorker) {
                workers.forward(w.index, frame);
            }
        }
    }

    /** The other workers know what they own, the controller what it decided. */
    void onRequestCall(int fromWorker, GetRequestReq call, byte[] frame) {
        askOtherWorkers(fromWorker, frame);
        boolean newest = GetRequestReq.NEWEST.equals(call.userRid());
        Map<String, Object> found = Map.of("decisions", newest ? history.newest() : history.of(call.userRid()));
        workers.tell(
                fromWorker,
                new GetRequestReqOutput(call.rid(), call.httpWorkerIpc(), Role.CONTROLLER.wireName(), found));
    }

    /** One tokenizer worker answers another. */
    void forwardAnswer(String httpWorkerIpc, byte[] frame) {
        TokenizerWorkers.Worker caller = workers.byEndpoint(httpWorkerIpc);
        if (caller == null) {
            counters.add(Count.UNKNOWN_HTTP_WORKER_IPC);
        } else {
            workers.forward(caller.index, frame);
        }
    }
}
