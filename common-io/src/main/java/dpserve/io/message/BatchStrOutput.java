package dpserve.io.message;

import dpserve.io.model.NextToken;

/**
 * New text of several requests, detokenizer to tokenizer manager: SGLang 0.5.23's 48 fields after the tag, of which
 * these are used, and behind them the extension element with the rank's load.
 *
 * <p>Parallel arrays as in {@link BatchTokenIDOutput}. {@code outputStrs} are deltas that never end inside a character.
 */
public record BatchStrOutput(
        String[] rids,
        String[] httpWorkerIpcs,
        FinishReason[] finishedReasons,
        String[] outputStrs,
        int[][] outputIds,
        int[] promptTokens,
        int[] completionTokens,
        int[] reasoningTokens,
        int[] cachedTokens,
        int[] retractionCounts,
        Integer[] dpRanks,
        GetLoadReqOutput load,
        double[][] stamps,
        NextToken[][] logprobs)
        implements Message {

    /** Without stage stamps and log probabilities. */
    public BatchStrOutput(
            String[] rids,
            String[] httpWorkerIpcs,
            FinishReason[] finishedReasons,
            String[] outputStrs,
            int[][] outputIds,
            int[] promptTokens,
            int[] completionTokens,
            int[] reasoningTokens,
            int[] cachedTokens,
            int[] retractionCounts,
            Integer[] dpRanks,
            GetLoadReqOutput load) {
        this(
                rids,
                httpWorkerIpcs,
                finishedReasons,
                outputStrs,
                outputIds,
                promptTokens,
                completionTokens,
                reasoningTokens,
                cachedTokens,
                retractionCounts,
                dpRanks,
                load,
                null,
                null);
    }

    /** Number of requests in this message. */
    public int size() {
        return rids.length;
    }
}
