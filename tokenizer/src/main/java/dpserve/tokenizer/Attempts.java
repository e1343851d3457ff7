package dpserve.tokenizer;

import dpserve.io.WireRid;
import dpserve.io.message.AbortReq;
import dpserve.io.message.EndNotice;
import dpserve.io.message.FinishReason;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The attempts under way, by wire rid, and the way to the controller. While no controller is connected new ones wait here,
 * as requests without a rank wait at the controller.
 */
final class Attempts {
    /** As the controller's own wait for a rank (--no-rank-timeout-ms). */
    static final long CONTROLLER_WAIT_NS = 5_000_000_000L;

    private static final String UNREACHABLE = "The controller is not reachable.";

    private final ManagerOutput output;
    private final String httpWorkerIpc;
    private final Resumption resumption;
    private final Map<String, SequenceState> byWireRid = new HashMap<>();

    /** Not sent yet, in their order, and since when. */
    private final Map<SequenceState, Long> waiting = new LinkedHashMap<>();

    private long epoch;
    private long sent;

    Attempts(ManagerOutput output, String httpWorkerIpc, Resumption resumption) {
        this.output = output;
        this.httpWorkerIpc = httpWorkerIpc;
        this.resumption = resumption;
    }

    /** The controller has this epoch from now on. */
    void onController(long newEpoch) {
        epoch = newEpoch;
    }

    /**
     * The attempt that a sequence names is under way from now on.
     *
     * @return false if the stream is full, or nothing is left to make; then the sequence has ended, and its finish reason
     *     says so
     */
    boolean begin(SequenceState state, long nowNs) {
        FinishReason complete = state.attempt == 0 ? resumption.isComplete(state) : null;
        if (complete != null) {
            state.finishReason = complete; // all of it was made elsewhere
            return false;
        }
        if (!output.hasController()) {
            waiting.put(state, nowNs);
        } else if (!send(state, nowNs)) {
            state.finishReason = Resumption.unavailable(UNREACHABLE);
            return false;
        }
        byWireRid.put(state.wireRid, state);
        return true;
    }

    private boolean send(SequenceState state, long nowNs) {
        state.sentToEpoch = epoch;
        state.sentNumber = ++sent;
        state.sentNs = nowNs;
        return output.toController(state.spec.toMessage(state.wireRid, httpWorkerIpc, state.received()));
    }

    /**
     * The attempt under way gave nothing more and was taken with {@link #remove}: another one begins, or the sequence has
     * ended.
     *
     * @return whether another one began; otherwise the sequence's finish reason says why not
     */
    boolean replace(SequenceState state, Loss loss, String why, long nowNs) {
        boolean mayHaveKilled = loss == Loss.RANK_DIED && nowNs - state.sentNs >= Resumption.TOO_LATE_TO_KILL_NS;
        FinishReason end = resumption.endAfterLoss(state, mayHaveKilled, why);
        if (end != null) {
            state.finishReason = end;
            return false;
        }
        WireRid old = WireRid.parse(state.wireRid);
        state.beginAttempt(new WireRid(old.userRid(), old.workerIncarnation(), old.n(), old.attempt() + 1).toString());
        return begin(state, nowNs);
    }

    /**
     * Sends what waits, if it can be sent now.
     *
     * @return what waits no longer without having been sent, and why
     */
    Map<SequenceState, FinishReason> retry(long nowNs) {
        if (waiting.isEmpty()) {
            return Map.of();
        }
        Map<SequenceState, FinishReason> given = new LinkedHashMap<>();
        boolean open = output.hasController();
        for (Iterator<Map.Entry<SequenceState, Long>> it = waiting.entrySet().iterator(); it.hasNext(); ) {
            Map.Entry<SequenceState, Long> entry = it.next();
            SequenceState state = entry.getKey();
            if (state.zombie || state.abortAsked) {
                given.put(state, new FinishReason.Abort("Aborted", null, null));
            } else if (open && send(state, nowNs)) {
                it.remove();
                continue;
            } else if (nowNs - entry.getValue() >= CONTROLLER_WAIT_NS) {
                given.put(state, Resumption.unavailable(UNREACHABLE));
            } else {
                open = false; // the stream is full: in order, so the others wait as well
                continue;
            }
            it.remove();
        }
        return given;
    }

    /** Tells the rank to stop; an attempt that was not sent yet ends with the next {@link #retry}. */
    void abort(SequenceState state) {
        if (!isWaiting(state)) {
            output.toController(AbortReq.of(state.wireRid, httpWorkerIpc));
        }
    }

    /** A rank may still hold these attempts, which ended here: nobody waits for them. */
    void disown(Collection<String> wireRids) {
        wireRids.forEach(rid -> output.toController(AbortReq.of(rid, httpWorkerIpc)));
        if (!wireRids.isEmpty()) {
            output.toController(new EndNotice(wireRids.toArray(String[]::new)));
        }
    }

    /** The sequence whose attempt this is, or null. */
    SequenceState get(String wireRid) {
        return byWireRid.get(wireRid);
    }

    /** Takes the sequence whose attempt this is, which is under way no more; null if there is none. */
    SequenceState remove(String wireRid) {
        SequenceState state = byWireRid.remove(wireRid);
        if (state != null) {
            waiting.remove(state);
        }
        return state;
    }

    /** All sequences that have not ended. */
    Collection<SequenceState> running() {
        return byWireRid.values();
    }

    /** The sequences of a user's rid. */
    List<SequenceState> ofUser(String userRid) {
        List<SequenceState> its = new ArrayList<>();
        for (SequenceState state : byWireRid.values()) {
            if (state.spec.userRid().equals(userRid)) {
                its.add(state);
            }
        }
        return its;
    }

    /** How many have been sent so far. */
    long sent() {
        return sent;
    }

    /** Whether the attempt under way has not been sent yet. */
    boolean isWaiting(SequenceState state) {
        return waiting.containsKey(state);
    }

    /** How many have not been sent yet. */
    int waiting() {
        return waiting.size();
    }
}
