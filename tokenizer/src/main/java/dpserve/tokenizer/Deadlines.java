package dpserve.tokenizer;

import dpserve.io.message.FinishReason;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;

/**
 * How long a sequence may take, and how long its end may after an abort. So every sequence ends in bounded time, whatever
 * became of the messages about it. Decides only; {@link TokenizerManager} sends.
 */
public final class Deadlines {
    /** An hour: the longest context, queued behind others, at the pace of the modelled GPU. */
    public static final int DEFAULT_REQUEST_TIMEOUT_S = 3600;

    /** Ranks take aborts between two steps, and a long prefill takes seconds; what has not ended by then was lost. */
    static final long ABORT_GRACE_NS = 30_000_000_000L;

    /** Far below both limits, and a look at ten thousand sequences costs less than a tenth of a millisecond. */
    static final long LOOK_INTERVAL_NS = 500_000_000L;

    private static final int GATEWAY_TIMEOUT = 504;
    private static final long NS_PER_S = 1_000_000_000L;

    private final int requestTimeoutS;
    private long nextLookNs;
    private boolean looked;
    private long timedOut;
    private long swept;

    /** @param requestTimeoutS from acceptance to end, over all attempts; 0 for no limit */
    public Deadlines(int requestTimeoutS) {
        this.requestTimeoutS = requestTimeoutS;
    }

    /**
     * What is overdue.
     *
     * @param toAbort have run too long: their ranks are to be told; marked, so each comes up once
     * @param toEnd were aborted and have not ended: nothing more is to be waited for
     */
    record Due(List<SequenceState> toAbort, List<SequenceState> toEnd) {
        static final Due NOTHING = new Due(List.of(), List.of());
    }

    /** Looks at everything that runs, at most every {@link #LOOK_INTERVAL_NS}. */
    Due look(Collection<SequenceState> running, long nowNs) {
        if (looked && nowNs - nextLookNs < 0) {
            return Due.NOTHING;
        }
        looked = true;
        nextLookNs = nowNs + LOOK_INTERVAL_NS;
        List<SequenceState> toAbort = new ArrayList<>();
        List<SequenceState> toEnd = new ArrayList<>();
        for (SequenceState state : running) {
            if (state.abortAsked || state.zombie) {
                if (!state.abortSeen) {
                    state.abortSeen = true;
                    state.abortSeenNs = nowNs;
                } else if (nowNs - state.abortSeenNs >= ABORT_GRACE_NS) {
                    toEnd.add(state);
                }
            } else if (requestTimeoutS > 0 && nowNs - state.createdNs >= requestTimeoutS * NS_PER_S) {
                state.abortAsked = true;
                state.timedOut = true;
                state.abortSeen = true;
                state.abortSeenNs = nowNs;
                toAbort.add(state);
            }
        }
        timedOut += toAbort.size();
        swept += toEnd.size();
        return new Due(toAbort, toEnd);
    }

    /** Why a sequence ended: one that was aborted for its time tells that; one that was done first keeps its reason. */
    FinishReason reason(SequenceState state) {
        if (state.timedOut && (state.finishReason == null || state.finishReason instanceof FinishReason.Abort)) {
            return new FinishReason.Abort(
                    "The request took longer than " + requestTimeoutS + " s.", GATEWAY_TIMEOUT, "TimeoutError");
        }
        return state.finishReason != null ? state.finishReason : new FinishReason.Abort("Aborted", null, null);
    }

    /** Sequences aborted because of their time. */
    public long timedOut() {
        return timedOut;
    }

    /** Sequences ended here because no end came after their abort. */
    public long swept() {
        return swept;
    }
}
