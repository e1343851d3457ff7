package dpserve.scheduler;

/**
 * What one rank's scheduler may do: SGLang's flags, resolved to numbers.
 *
 * @param dpRank the rank
 * @param detokenizers over how many detokenizers output batches are split, at least 1
 * @param maxTotalTokens KV slots, one per token
 * @param contextLength longest prompt and output together, tokens
 * @param maxRunningRequests most requests with KV at one time
 * @param maxQueuedRequests most waiting requests; one more is refused with 503
 * @param maxPrefillTokens prompt tokens of one prefill batch; a longer single prompt still goes alone
 * @param chunkedPrefillSize most tokens of one prefill step, {@link #UNLIMITED} for whole prompts
 * @param schedulePolicy order of the waiting queue
 * @param scheduleConservativeness scales the share of max_new_tokens reserved for running requests; above 1 retracts
 *     less and admits later
 * @param disableRadixCache no KV outlives its request
 * @param streamInterval tokens between two emissions of a stream that names none of its own
 * @param forceStreamInterval tokens between two emissions of a request that does not stream
 * @param clipMaxNewTokens most output tokens reserved for one request at admission, whatever it asked for
 * @param decodeLogInterval decode steps between two log lines
 */
public record SchedulerConfig(
        int dpRank,
        int detokenizers,
        int maxTotalTokens,
        int contextLength,
        int maxRunningRequests,
        int maxQueuedRequests,
        int maxPrefillTokens,
        int chunkedPrefillSize,
        SchedulePolicy schedulePolicy,
        double scheduleConservativeness,
        boolean disableRadixCache,
        int streamInterval,
        int forceStreamInterval,
        int clipMaxNewTokens,
        int decodeLogInterval) {

    /** A limit that never binds. */
    public static final int UNLIMITED = Integer.MAX_VALUE;

    /** 17,100 tokens are a usage of 0.32 on each rank in the logs of PR #11469. */
    public static final int DEFAULT_MAX_TOTAL_TOKENS = 53_400;

    /** A usual context of the models served; 1.6 of them fit the default pool. */
    public static final int DEFAULT_CONTEXT_LENGTH = 32_768;

    /** SGLang's lower bound for what it derives from memory. */
    public static final int DEFAULT_MAX_RUNNING_REQUESTS = 2048;

    /** SGLang's default. */
    public static final int DEFAULT_MAX_PREFILL_TOKENS = 16_384;

    /** SGLang's default on large devices. */
    public static final int DEFAULT_CHUNKED_PREFILL_SIZE = 8192;

    /** SGLang's default of {@code SGLANG_FORCE_STREAM_INTERVAL}. */
    public static final int DEFAULT_FORCE_STREAM_INTERVAL = 50;

    /** SGLang's default of {@code SGLANG_CLIP_MAX_NEW_TOKENS_ESTIMATION}. */
    public static final int DEFAULT_CLIP_MAX_NEW_TOKENS = 4096;

    /** SGLang's default. */
    public static final int DEFAULT_DECODE_LOG_INTERVAL = 40;

    /** Smallest pool and context in which a prompt of one token leaves room for an output. */
    public static final int MIN_TOKENS = 16;

    /** SGLang keeps this many tokens of the context away from prompts. */
    private static final int INPUT_MARGIN = 5;

    public SchedulerConfig {
        atLeast("detokenizers", detokenizers, 1);
        atLeast("max_total_tokens", maxTotalTokens, MIN_TOKENS);
        atLeast("context_length", contextLength, MIN_TOKENS);
        atLeast("max_running_requests", maxRunningRequests, 1);
        atLeast("max_queued_requests", maxQueuedRequests, 1);
        atLeast("max_prefill_tokens", maxPrefillTokens, 1);
        atLeast("chunked_prefill_size", chunkedPrefillSize, 1);
        atLeast("stream_interval", streamInterval, 1);
        atLeast("force_stream_interval", forceStreamInterval, 1);
        atLeast("clip_max_new_tokens", clipMaxNewTokens, 1);
        atLeast("decode_log_interval", decodeLogInterval, 1);
        if (!(scheduleConservativeness >= 0)) {
            throw new IllegalArgumentException("schedule_conservativeness must be at least 0");
        }
    }

    private static void atLeast(String what, int value, int min) {
        if (value < min) {
            throw new IllegalArgumentException(what + " must be at least " + min + ", not " + value);
        }
    }

    /** Longest prompt and output together that one request may grow to, tokens. */
    public int maxReqLen() {
        return Math.min(contextLength, maxTotalTokens) - 1;
    }

    /** Longest prompt accepted, tokens. */
    public int maxReqInputLen() {
        return maxReqLen() - INPUT_MARGIN;
    }

    /**
     * How many tokens a request may produce: what it asked for, but no more than the context and the whole KV pool hold
     * beside its input, so that it can always run when it is alone.
     *
     * @param requested null for as many as fit
     * @return 0 or more
     */
    public int clipMaxNewTokens(Integer requested, int inputLength) {
        int fits = Math.min(maxReqLen() - inputLength - 1, maxTotalTokens - inputLength - 2);
        return Math.max(0, requested == null ? fits : Math.min(requested, fits));
    }
}
