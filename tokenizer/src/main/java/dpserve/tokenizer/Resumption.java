package dpserve.tokenizer;

import dpserve.io.message.FinishReason;
import dpserve.io.message.SamplingParams;

/**
 * Whether and how a sequence goes on whose attempt was lost (docs/protocol.md section 3): prompt and received output become
 * the input of a new attempt, the limits are what is left of them. Decides only; {@link TokenizerManager} sends.
 */
public final class Resumption {
    /** After more deaths of ranks that held it a request is not sent again: it may be what kills them. */
    static final int MAX_RANK_DEATHS = 2;

    /**
     * An attempt that was sent so shortly before its rank was declared dead did not kill it: a rank is dead when it has been silent
     * for much longer, or when a successor is there, which takes longer to start. Ranks that are cut off together are
     * declared dead one after the other, within a heartbeat, and a request may be sent to each in turn.
     */
    static final long TOO_LATE_TO_KILL_NS = 350_000_000L;

    /** Bound on attempts for any reason: what is lost this often is lost by more than chance. */
    static final int MAX_ATTEMPTS = 10;

    private static final int SERVICE_UNAVAILABLE = 503;
    private static final String UNAVAILABLE_TYPE = "ServiceUnavailableError";

    private final OnRankFailure onRankFailure;
    private final int eosTokenId;

    /** @param eosTokenId the vocabulary's, which ends an output unless ignore_eos */
    public Resumption(OnRankFailure onRankFailure, int eosTokenId) {
        this.onRankFailure = onRankFailure;
        this.eosTokenId = eosTokenId;
    }

    /**
     * Why a sequence ends now whose attempt was lost, or null if it is to be sent again.
     *
     * @param mayHaveKilled whether its rank is gone, perhaps because of it
     * @param why what happened, in words for the client
     */
    FinishReason endAfterLoss(SequenceState state, boolean mayHaveKilled, String why) {
        if (state.zombie || state.abortAsked) {
            return new FinishReason.Abort("Aborted", null, null);
        }
        FinishReason done = isComplete(state);
        if (done != null) {
            return done;
        }
        state.rankDeaths += mayHaveKilled ? 1 : 0;
        if (onRankFailure == OnRankFailure.FAIL) {
            return unavailable(why + "; try again.");
        }
        if (state.rankDeaths > MAX_RANK_DEATHS) {
            return unavailable(why + ", the " + state.rankDeaths + "rd that held this request: it is not sent again.");
        }
        if (state.attempt + 1 >= MAX_ATTEMPTS) {
            return unavailable(why + ", after " + MAX_ATTEMPTS + " attempts.");
        }
        return null;
    }

    /** Nothing is left to make: only the word of the end was lost. */
    FinishReason isComplete(SequenceState state) {
        SequenceSpec.Resume resume = state.spec().resume();
        if (resume != null && resume.end() != null) {
            return resume.end();
        }
        SamplingParams params = state.spec().samplingParams();
        int made = state.completionTokens();
        if (made == 0) {
            return null;
        }
        int last = state.outputId(made - 1);
        boolean mayStop =
                made > params.minNewTokens(); // as the ranks: the token that makes the minimum does not end it
        if (mayStop && (isStop(params, last) || (last == eosTokenId && !params.ignoreEos()))) {
            return new FinishReason.StopToken(last);
        }
        Integer most = params.maxNewTokens();
        return most != null && made >= most ? new FinishReason.Length(made) : null;
    }

    private static boolean isStop(SamplingParams params, int id) {
        for (int stop : params.stopTokenIds()) {
            if (stop == id) {
                return true;
            }
        }
        return false;
    }

    static FinishReason.Abort unavailable(String message) {
        return new FinishReason.Abort(message, SERVICE_UNAVAILABLE, UNAVAILABLE_TYPE);
    }
}
