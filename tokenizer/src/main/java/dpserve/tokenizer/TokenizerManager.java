package dpserve.tokenizer;

import dpserve.io.WireRid;
import dpserve.io.message.AbortReq;
import dpserve.io.message.BatchStrOutput;
import dpserve.io.message.DropState;
import dpserve.io.message.EndNotice;
import dpserve.io.message.FinishReason;
import dpserve.io.message.HealthCheckOutput;
import dpserve.io.message.RankDown;
import dpserve.io.message.Refused;
import dpserve.io.message.TokenizedGenerateReqInput;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.LongToDoubleFunction;

/**
 * Owns every sequence from the client's first byte to its one terminal outcome (docs/protocol.md section 3).
 *
 * <p>Single-threaded, without clock and sockets. Each attempt ends once: with its terminal output, its AbortReq answer,
 * Refused or RankDown; whatever arrives for it afterwards is an unknown wire rid, dropped and counted. The end notice of
 * a batch is handed to the output before any listener hears of the end.
 */
public final class TokenizerManager {
    private static final int SERVICE_UNAVAILABLE = 503;
    private static final String UNAVAILABLE_TYPE = "ServiceUnavailableError";

    private final String httpWorkerIpc;
    private final long incarnation;
    private final ManagerOutput output;
    private final ManagerCounters counters;
    private final StageClock stageClock;
    private final RequestLog log = new RequestLog();
    private final Map<String, SequenceState> byWireRid = new HashMap<>();
    private final Map<String, Probe> probes = new HashMap<>();
    private long nextNumber;

    /**
     * @param httpWorkerIpc this worker's PULL endpoint, which outputs come back to
     * @param incarnation this worker's incarnation, part of every wire rid
     * @param epochSeconds seconds since the epoch at a monotonic time
     */
    public TokenizerManager(
            String httpWorkerIpc,
            long incarnation,
            ManagerOutput output,
            ManagerCounters counters,
            LongToDoubleFunction epochSeconds) {
        this.stageClock = new StageClock(epochSeconds);
        this.httpWorkerIpc = httpWorkerIpc;
        this.incarnation = incarnation;
        this.output = output;
        this.counters = counters;
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
     * Sends a sequence on its way. If the request stream does not take it, the listener hears of its end at once.
     *
     * @param acceptedNs when its request was here whole
     * @return its state, for {@link #clientGone}
     */
    public SequenceState submit(SequenceSpec spec, SequenceListener listener, long acceptedNs, long nowNs) {
        String wireRid = new WireRid(spec.userRid(), incarnation, nextNumber++, 0).toString();
        SequenceState state = new SequenceState(spec, listener, wireRid, acceptedNs, nowNs);
        counters.accepted(spec);
        if (output.toController(spec.toMessage(wireRid, httpWorkerIpc))) {
            byWireRid.put(wireRid, state);
        } else {
            state.finishReason = unavailable("The controller is not reachable.");
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
        String wireRid = new WireRid(spec.userRid(), incarnation, nextNumber++, 0).toString();
        if (!output.toController(spec.toMessage(wireRid, httpWorkerIpc))) {
            return null;
        }
        probes.put(wireRid, probe);
        return wireRid;
    }

    /** No longer waits for a probe. */
    public void forgetProbe(String wireRid) {
        probes.remove(wireRid);
    }

    /** The client left: the rank is told to stop, and the sequence stays as a zombie until its end arrives. */
    public void clientGone(SequenceState state) {
        if (state.finishReason == null && !state.zombie) {
            state.zombie = true;
            abort(state);
        }
    }

    /**
     * Ends by a client's wish.
     *
     * @param userRid the client's name for the request, ignored with {@code all}
     */
    public void abortByUser(String userRid, boolean all) {
        if (all) {
            output.toController(new AbortReq("", httpWorkerIpc, true, null, null));
            return;
        }
        boolean mine = false;
        for (SequenceState state : List.copyOf(byWireRid.values())) {
            if (state.spec.userRid().equals(userRid)) {
                abort(state);
                mine = true;
            }
        }
        if (!mine) {
            // Another worker may own it: the controller knows.
            output.toController(AbortReq.of(userRid, httpWorkerIpc));
        }
    }

    private void abort(SequenceState state) {
        output.toController(AbortReq.of(state.wireRid, httpWorkerIpc));
    }

    /** New output from a detokenizer. */
    public void onBatch(BatchStrOutput batch, long nowNs) {
        List<String> ended = new ArrayList<>();
        List<Change> changes = new ArrayList<>(batch.size());
        for (int i = 0; i < batch.size(); i++) {
            SequenceState state = byWireRid.get(batch.rids()[i]);
            if (state != null) {
                apply(state, batch, i, changes, ended, nowNs);
            } else if (!answerProbe(batch.rids()[i], true)) {
                counters.unknownRid();
            }
        }
        finish(changes, ended, nowNs);
    }

    private record Change(SequenceState state, String newText) {}

    private void apply(
            SequenceState state, BatchStrOutput batch, int i, List<Change> changes, List<String> ended, long nowNs) {
        int[] newIds = batch.outputIds() == null ? new int[0] : batch.outputIds()[i];
        FinishReason reason = batch.finishedReasons()[i];
        int held = state.completionTokens();
        String text = batch.outputStrs()[i];
        if (batch.outputIds() != null && batch.completionTokens()[i] - newIds.length != held) {
            counters.gap();
            if (reason == null) {
                abort(state);
            }
            output.toDetokenizers(new DropState(new String[] {state.wireRid}));
            state.finishReason = unavailable("Output of this request was lost between two processes; try again.");
            byWireRid.remove(state.wireRid);
            ended.add(state.wireRid);
            changes.add(new Change(state, ""));
            return;
        }
        state.append(text, newIds);
        state.cachedTokens = batch.cachedTokens()[i];
        state.retractions = batch.retractionCounts()[i];
        state.reasoningTokens = batch.reasoningTokens()[i];
        if (batch.dpRanks() != null && batch.dpRanks()[i] != null) {
            state.dpRank = batch.dpRanks()[i];
        }
        if (batch.stamps() != null && batch.stamps()[i] != null) {
            state.stamps = batch.stamps()[i];
        }
        if (newIds.length > 0) {
            counters.tokens(state, newIds.length, nowNs);
            state.tokensAt(nowNs);
        }
        if (reason != null) {
            state.finishReason = reason;
            byWireRid.remove(state.wireRid);
            ended.add(state.wireRid);
        }
        changes.add(new Change(state, text));
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
        if (!answerProbe(refused.rid(), false)) {
            String type = refused.status() == SERVICE_UNAVAILABLE ? UNAVAILABLE_TYPE : "BadRequestError";
            end(refused.rid(), new FinishReason.Abort(refused.reason(), refused.status(), type), nowNs);
        }
    }

    private void end(String wireRid, FinishReason reason, long nowNs) {
        SequenceState state = byWireRid.remove(wireRid);
        if (state == null) {
            if (!answerProbe(wireRid, true)) {
                counters.unknownRid();
            }
            return;
        }
        state.finishReason = reason;
        finish(List.of(new Change(state, "")), List.of(wireRid), nowNs);
    }

    /** A rank is gone: everything of ours that it held ends now. */
    public void onRankDown(RankDown down, long nowNs) {
        List<String> ended = new ArrayList<>();
        List<Change> changes = new ArrayList<>();
        for (String wireRid : down.rids()) {
            SequenceState state = byWireRid.remove(wireRid);
            if (state != null) {
                state.finishReason =
                        unavailable("DP rank " + down.dpRank() + " is down (" + down.reason() + "); try again.");
                ended.add(wireRid);
                changes.add(new Change(state, ""));
            }
        }
        if (!ended.isEmpty()) {
            output.toDetokenizers(new DropState(ended.toArray(String[]::new)));
        }
        finish(changes, ended, nowNs);
    }

    /** A busy rank answers a probe without running it. */
    public void onHealthCheck(HealthCheckOutput answer) {
        if (answer.rid() == null || !answerProbe(answer.rid(), true)) {
            counters.unknownRid();
        }
    }

    private boolean answerProbe(String rid, boolean passed) {
        Probe probe = probes.remove(rid);
        if (probe != null) {
            probe.onAnswer(passed);
        }
        // A probe given up on may still be answered: neither unknown nor of interest.
        return probe != null || TokenizedGenerateReqInput.isHealthCheck(rid);
    }

    private void finish(List<Change> changes, List<String> ended, long nowNs) {
        if (!ended.isEmpty()) {
            output.toController(new EndNotice(ended.toArray(String[]::new)));
        }
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

    private void end(SequenceState state, long nowNs) {
        state.endedNs = nowNs;
        state.stages = stageClock.stages(state, nowNs);
        log.ended(state);
    }

    private static FinishReason unavailable(String message) {
        return new FinishReason.Abort(message, SERVICE_UNAVAILABLE, UNAVAILABLE_TYPE);
    }

    /** What is known here of the sequences with a user's rid, for {@code GET /requests/{rid}}. */
    public List<Object> find(String userRid, long nowNs) {
        return log.of(userRid, byWireRid.values(), state -> stageClock.stages(state, nowNs));
    }

    /** Sequences that have not ended, zombies included. */
    public int size() {
        return byWireRid.size();
    }

    /** Sequences whose client has left and whose end has not arrived. */
    public int zombies() {
        return (int) byWireRid.values().stream().filter(s -> s.zombie).count();
    }

    /** Probes on their way. */
    public int probes() {
        return probes.size();
    }
}
