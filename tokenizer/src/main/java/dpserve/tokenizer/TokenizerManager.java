package dpserve.tokenizer;

import dpserve.io.message.AbortReq;
import dpserve.io.message.BatchStrOutput;
import dpserve.io.message.DropState;
import dpserve.io.message.EndNotice;
import dpserve.io.message.FinishReason;
import dpserve.io.message.HealthCheckOutput;
import dpserve.io.message.RankDown;
import dpserve.io.message.Refused;
import dpserve.io.model.NextToken;
import java.util.ArrayList;
import java.util.List;
import java.util.function.LongToDoubleFunction;

/**
 * Owns every sequence from the client's first byte to its one terminal outcome (docs/protocol.md section 3).
 *
 * <p>Single-threaded, without clock and sockets. Each attempt ends once: with its terminal output, its AbortReq answer,
 * Refused or RankDown, after which another may follow; whatever arrives for it afterwards is an unknown wire rid, dropped and counted. The end notice of
 * a batch is handed to the output before any listener hears of the end.
 */
public final class TokenizerManager {
    private static final int SERVICE_UNAVAILABLE = 503;

    private final String httpWorkerIpc;
    private final ManagerOutput output;
    private final ManagerCounters counters;
    private final StageClock stageClock;
    private final Deadlines deadlines;
    private final RequestLog log = new RequestLog();
    private final Attempts attempts;
    private final Probes probes = new Probes();
    private final WireRids wireRids;

    /**
     * @param httpWorkerIpc this worker's PULL endpoint, which outputs come back to
     * @param incarnation this worker's incarnation, part of every wire rid
     * @param resumption what becomes of a sequence whose attempt is lost
     * @param deadlines how long a sequence may take
     * @param epochSeconds seconds since the epoch at a monotonic time
     */
    public TokenizerManager(
            String httpWorkerIpc,
            long incarnation,
            ManagerOutput output,
            ManagerCounters counters,
            Resumption resumption,
            Deadlines deadlines,
            LongToDoubleFunction epochSeconds) {
        this.deadlines = deadlines;
        this.stageClock = new StageClock(epochSeconds);
        this.httpWorkerIpc = httpWorkerIpc;
        this.wireRids = new WireRids(incarnation);
        this.output = output;
        this.counters = counters;
        this.attempts = new Attempts(output, httpWorkerIpc, resumption);
    }

    /** From now on new sequences go to each of so many detokenizers in turn. */
    public void spreadOver(int detokenizers) {
        wireRids.spreadOver(detokenizers);
    }

    /** Hears what became of a health probe. */
    public interface Probe {
        /**
         * Called once, unless the probe is lost on its way.
         *
         * @param passed whether a rank answered; false if the controller found no way to it
         */
        void onAnswer(boolean passed);
    }

    /**
     * Sends a sequence on its way. If the request stream is full, the listener hears of its end at once; without a
     * controller it waits for one.
     *
     * @param acceptedNs when its request was here whole
     * @return its state, for {@link #clientGone}
     */
    public SequenceState submit(SequenceSpec spec, SequenceListener listener, long acceptedNs, long nowNs) {
        String wireRid = wireRids.next(spec.userRid());
        SequenceState state = new SequenceState(spec, listener, wireRid, acceptedNs, nowNs);
        counters.accepted(spec);
        if (!attempts.begin(state, nowNs)) {
            end(state, nowNs);
            counters.ended(state, nowNs);
            listener.onOutput(state, "");
        }
        return state;
    }

    /**
     * Sends a health probe through one rank; see {@link #forgetProbe}.
     *
     * @return its wire rid, or null if the request stream did not take it: then nothing will be heard of it
     */
    public String probe(SequenceSpec spec, Probe probe) {
        String wireRid = wireRids.next(spec.userRid());
        if (!output.toController(spec.toMessage(wireRid, httpWorkerIpc))) {
            return null;
        }
        probes.add(wireRid, probe);
        return wireRid;
    }

    /** No longer waits for a probe. */
    public void forgetProbe(String wireRid) {
        probes.forget(wireRid);
    }

    /** The client left: the rank is told to stop, and the sequence stays as a zombie until its end arrives. */
    public void clientGone(SequenceState state) {
        if (state.finishReason == null && !state.zombie) {
            state.zombie = true;
            attempts.abort(state);
        }
    }

    /**
     * Ends by a client's wish.
     *
     * @param userRid the client's name for the request, ignored with {@code all}
     */
    public void abortByUser(String userRid, boolean all) {
        if (all) {
            attempts.running().forEach(state -> state.abortAsked = true);
            output.toController(new AbortReq("", httpWorkerIpc, true, null, null));
            return;
        }
        List<SequenceState> own = attempts.ofUser(userRid);
        for (SequenceState state : own) {
            state.abortAsked = true;
            attempts.abort(state);
        }
        if (own.isEmpty()) {
            // Another worker may own it: the controller knows.
            output.toController(AbortReq.of(userRid, httpWorkerIpc));
        }
    }

    /** New output from a detokenizer. */
    public void onBatch(BatchStrOutput batch, long nowNs) {
        List<String> ended = new ArrayList<>();
        List<SequenceState> lost = new ArrayList<>();
        List<Change> changes = new ArrayList<>(batch.size());
        for (int i = 0; i < batch.size(); i++) {
            SequenceState state = attempts.get(batch.rids()[i]);
            if (state != null && !state.isFollowedBy(batch, i)) {
                counters.gap();
                if (batch.finishedReasons()[i] == null) {
                    attempts.abort(state);
                }
                attempts.remove(state.wireRid);
                ended.add(state.wireRid);
                lost.add(state);
            } else if (state != null) {
                changes.add(apply(state, batch, i, ended, nowNs));
            } else if (!probes.answer(batch.rids()[i], true)) {
                counters.unknownRid();
            }
        }
        tellEnds(ended);
        replace(lost, Loss.OUTPUT, "Output of this request was lost between two processes", changes, nowNs);
        finish(changes, nowNs);
    }

    private record Change(SequenceState state, String newText) {}

    private Change apply(SequenceState state, BatchStrOutput batch, int i, List<String> ended, long nowNs) {
        int[] newIds = batch.outputIds() == null ? new int[0] : batch.outputIds()[i];
        FinishReason reason = batch.finishedReasons()[i];
        NextToken[] logprobs = batch.logprobs() == null ? null : batch.logprobs()[i];
        String text = state.append(batch.outputStrs()[i], newIds, logprobs);
        state.figures(batch, i);
        if (newIds.length > 0) {
            counters.tokens(state, newIds.length, nowNs);
            state.tokensAt(nowNs);
        }
        if (reason != null) {
            // Of a resumed attempt the rank knows a part of the length.
            state.finishReason =
                    reason instanceof FinishReason.Length ? new FinishReason.Length(state.completionTokens()) : reason;
            attempts.remove(state.wireRid);
            ended.add(state.wireRid);
        }
        return new Change(state, text);
    }

    /** A rank answers for a request that never emitted anything. */
    public void onAbortAnswer(AbortReq answer, long nowNs) {
        FinishReason reason = answer.finishedReason() != null
                ? answer.finishedReason()
                : new FinishReason.Abort(
                        answer.abortMessage() == null ? "Abort in waiting queue" : answer.abortMessage(), null, null);
        end(answer.rid(), reason, nowNs);
    }

    /** The controller answers that no rank took an attempt. */
    public void onRefused(Refused refused, long nowNs) {
        if (!probes.answer(refused.rid(), false)) {
            FinishReason reason = refused.status() == SERVICE_UNAVAILABLE
                    ? Resumption.unavailable(refused.reason())
                    : new FinishReason.Abort(refused.reason(), refused.status(), "BadRequestError");
            end(refused.rid(), reason, nowNs);
        }
    }

    private void end(String wireRid, FinishReason reason, long nowNs) {
        SequenceState state = attempts.remove(wireRid);
        if (state == null) {
            if (!probes.answer(wireRid, true)) {
                counters.unknownRid();
            }
            return;
        }
        state.finishReason = reason;
        tellEnds(List.of(wireRid));
        finish(List.of(new Change(state, "")), nowNs);
    }

    /** A rank is gone: everything of ours that it held goes on elsewhere, or ends. */
    public void onRankDown(RankDown down, long nowNs) {
        String why = "DP rank " + down.dpRank() + " is down (" + down.reason() + ")";
        lose(List.of(down.rids()), Loss.RANK_DIED, why, nowNs);
    }

    /** Attempts are lost: each goes on elsewhere, or ends. Those that are not under way any more are left alone. */
    void lose(List<String> wireRids, Loss loss, String why, long nowNs) {
        List<SequenceState> lost = new ArrayList<>();
        for (String wireRid : wireRids) {
            SequenceState state = attempts.get(wireRid);
            if (state == null) {
                probes.answer(wireRid, false);
                continue;
            }
            if (loss == Loss.OUTPUT) {
                attempts.abort(state);
            }
            attempts.remove(wireRid);
            lost.add(state);
        }
        if (loss == Loss.OUTPUT) {
            tellEnds(lost.stream().map(state -> state.wireRid).toList());
        }
        List<Change> changes = new ArrayList<>();
        replace(lost, loss, why, changes, nowNs);
        finish(changes, nowNs);
    }

    /** The controller must know by now that the lost attempts have ended: what follows them must not find them in its way. */
    private void replace(List<SequenceState> lost, Loss loss, String why, List<Change> changes, long nowNs) {
        if (!lost.isEmpty()) {
            output.toDetokenizers(
                    new DropState(lost.stream().map(state -> state.wireRid).toArray(String[]::new)));
        }
        for (SequenceState state : lost) {
            if (attempts.replace(state, loss, why, nowNs)) {
                counters.resumed();
            } else {
                changes.add(new Change(state, ""));
            }
        }
    }

    /** A busy rank answers a probe without running it. */
    public void onHealthCheck(HealthCheckOutput answer) {
        if (answer.rid() == null || !probes.answer(answer.rid(), true)) {
            counters.unknownRid();
        }
    }

    private void tellEnds(List<String> ended) {
        if (!ended.isEmpty()) {
            output.toController(new EndNotice(ended.toArray(String[]::new)));
        }
    }

    /** The clients hear, after the controller. */
    private void finish(List<Change> changes, long nowNs) {
        RuntimeException failure = null;
        for (Change change : changes) {
            SequenceState state = change.state();
            if (state.finishReason != null) {
                end(state, nowNs);
                counters.ended(state, nowNs);
            }
            try {
                if (!state.zombie) {
                    state.listener.onOutput(state, change.newText());
                }
            } catch (RuntimeException e) {
                // The others of the batch still have to hear of theirs.
                failure = e;
            }
        }
        if (failure != null) {
            throw failure;
        }
    }

    /** Time passes: what takes too long is aborted, and what does not end after an abort ends here. */
    public void onTick(long nowNs) {
        Deadlines.Due due = deadlines.look(attempts.running(), nowNs);
        due.toAbort().forEach(attempts::abort);
        attempts.retry(nowNs).forEach((state, reason) -> end(state.wireRid, reason, nowNs));
        for (SequenceState state : due.toEnd()) {
            output.toDetokenizers(new DropState(new String[] {state.wireRid}));
            end(state.wireRid, deadlines.reason(state), nowNs);
        }
    }

    private void end(SequenceState state, long nowNs) {
        state.finishReason = deadlines.reason(state);
        state.endedNs = nowNs;
        state.stages = stageClock.stages(state, nowNs);
        log.ended(state);
    }

    /** What is known here of the sequences with a user's rid, for {@code GET /requests/{rid}}. */
    public RequestLog.Found find(String userRid, long nowNs) {
        return log.of(userRid, attempts.running(), state -> stageClock.stages(state, nowNs));
    }

    /** Attempts that wait for a controller. */
    public int waiting() {
        return attempts.waiting();
    }

    Attempts attempts() {
        return attempts;
    }

    /** Sequences that have not ended, zombies included. */
    public int size() {
        return attempts.running().size();
    }

    /** Sequences whose client has left and whose end has not arrived. */
    public int zombies() {
        return (int) attempts.running().stream().filter(s -> s.zombie).count();
    }

    /** Probes on their way. */
    public int probes() {
        return probes.size();
    }
}
