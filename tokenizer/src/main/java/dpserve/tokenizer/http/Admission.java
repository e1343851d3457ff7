package dpserve.tokenizer.http;

import dpserve.tokenizer.SequenceSpec;
import java.util.List;
import java.util.function.BooleanSupplier;

/**
 * Whether a worker takes a request now. Everything that it can have queued on the way to a rank is live here, so these
 * limits bound the queues as well.
 */
public final class Admission {
    /** Ten times the streams that one worker is known to drive at once. */
    public static final int DEFAULT_MAX_REQUESTS = 20_000;

    /** 128 MiB of token ids. */
    public static final long DEFAULT_MAX_PROMPT_TOKENS = 32L << 20;

    private final int maxRequests;
    private final long maxPromptTokens;
    private final WorkerMetrics live;
    private final BooleanSupplier draining;

    /**
     * @param maxRequests live sequences, at most
     * @param maxPromptTokens of all live sequences together, at most; logit_bias and what stops a reply count as what they take in memory
     * @param live counts them
     * @param draining whether the server refuses new work because it is about to end
     */
    public Admission(int maxRequests, long maxPromptTokens, WorkerMetrics live, BooleanSupplier draining) {
        this.maxRequests = maxRequests;
        this.maxPromptTokens = maxPromptTokens;
        this.live = live;
        this.draining = draining;
    }

    /** Why these are refused with 503, or null if they are not. */
    String refusal(List<SequenceSpec> sequences) {
        if (draining.getAsBoolean()) {
            return "The server is shutting down.";
        }
        if (live.liveSequences() + sequences.size() > maxRequests) {
            return "The server has all the requests it may have (--max-live-requests " + maxRequests + ").";
        }
        long tokens = live.livePromptTokens();
        for (SequenceSpec spec : sequences) {
            tokens += spec.weight();
        }
        // A request that is too large by itself would never be taken, so alone it is.
        if (tokens > maxPromptTokens && live.liveSequences() > 0) {
            return "The server has all the prompt tokens it may have (--max-live-prompt-tokens " + maxPromptTokens
                    + ").";
        }
        return null;
    }
}
