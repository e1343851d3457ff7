package dpserve.io.message;

/**
 * One attempt to generate, tokenizer manager to controller to scheduler: 49 fields of SGLang 0.5.23 after the tag, and
 * behind them the extension element.
 *
 * @param rid the wire rid (see {@link dpserve.io.WireRid}); from SGLang's own tokenizer the user's rid
 * @param httpWorkerIpc PULL endpoint of the tokenizer worker that owns the request; null from a single SGLang tokenizer
 * @param inputText the prompt's text, or null: never needed by a Java scheduler
 * @param inputIds prompt token ids; on a resumed attempt the original prompt and then the output received so far
 * @param bootstrapHost PD disaggregation: host of the prefill side's bootstrap server, or null
 * @param bootstrapPort PD disaggregation: its port, or null
 * @param bootstrapRoom PD disaggregation: the room, or null
 * @param routedDpRank the rank the client asked for, or null
 * @param disaggPrefillDpRank the prefill rank the client asked for, or null
 * @param routingKey session key for affinity policies, or null
 * @param extraKey namespace of the prefix cache, or null
 * @param resumed how many of {@code inputIds}, at their end, are output of earlier attempts; 0 on a first attempt
 * @param dispatchTime seconds since the epoch at which the controller dispatched it, 0 before; the controller writes it
 *     into the encoded bytes in place
 */
public record TokenizedGenerateReqInput(
        String rid,
        String httpWorkerIpc,
        String inputText,
        int[] inputIds,
        SamplingParams samplingParams,
        boolean returnLogprob,
        int logprobStartLen,
        int topLogprobsNum,
        boolean stream,
        String bootstrapHost,
        Integer bootstrapPort,
        Long bootstrapRoom,
        Integer routedDpRank,
        Integer disaggPrefillDpRank,
        String routingKey,
        Integer priority,
        String extraKey,
        int resumed,
        double dispatchTime)
        implements Message {

    /** Requests whose rid starts with this are health probes: answered, never counted as load. */
    public static final String HEALTH_CHECK_PREFIX = "HEALTH_CHECK";

    /** A plain request: no logprobs, no bootstrap, no pins, first attempt. */
    public static TokenizedGenerateReqInput of(
            String rid, String httpWorkerIpc, int[] inputIds, SamplingParams samplingParams, boolean stream) {
        return new TokenizedGenerateReqInput(
                rid,
                httpWorkerIpc,
                null,
                inputIds,
                samplingParams,
                false,
                -1,
                0,
                stream,
                null,
                null,
                null,
                null,
                null,
                null,
                null,
                null,
                0,
                0.0);
    }

    /** Whether this rid names a health probe. */
    public static boolean isHealthCheck(String rid) {
        return rid != null && rid.startsWith(HEALTH_CHECK_PREFIX);
    }
}
