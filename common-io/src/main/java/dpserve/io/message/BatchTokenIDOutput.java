package dpserve.io.message;

import dpserve.io.model.NextToken;

/**
 * New tokens of several requests, scheduler to detokenizer: SGLang 0.5.23's 53 fields after the tag, of which these are
 * used, and behind them the extension element with the rank's load.
 *
 * <p>Parallel arrays: all have {@code size()} entries, index i belongs to {@code rids[i]}. A message of size 0 is an
 * idle report: it only carries the load.
 *
 * @param rids wire rids
 * @param httpWorkerIpcs per request the tokenizer worker's PULL endpoint; null, or null entries, from legacy peers
 * @param finishedReasons null entries while running
 * @param decodedTexts text to start from, normally ""
 * @param decodeIds ids to append to the request's detokenizer state; at the first emission of an attempt it begins with
 *     up to {@link #SURROUNDING_TOKENS} last prompt ids, counted by {@code readOffsets}. A resumed attempt replays here
 *     everything from the original prompt's border
 * @param readOffsets at the first emission the number of prompt ids that {@code decodeIds} starts with
 * @param outputIds new output ids since the last emission; null entries never occur from Java
 * @param completionTokens output tokens so far, those of earlier attempts not included
 * @param cachedTokens prompt tokens found in the prefix cache
 * @param retractionCounts how often the request lost its KV and was queued again
 * @param dpRanks the rank that made the output; null, or null entries, where unknown
 * @param load the rank's load when this was made, or null (then another part of the same batch carries it)
 * @param stamps {@link Stamps} of a request's first and last output; null, or null entries, otherwise
 * @param logprobs per request its tokens since the last emission with log probabilities; null, or null entries, for
 *     requests that asked for none
 */
public record BatchTokenIDOutput(
        String[] rids,
        String[] httpWorkerIpcs,
        FinishReason[] finishedReasons,
        String[] decodedTexts,
        int[][] decodeIds,
        int[] readOffsets,
        int[][] outputIds,
        boolean[] skipSpecialTokens,
        boolean[] spacesBetweenSpecialTokens,
        boolean[] noStopTrim,
        int[] promptTokens,
        int[] reasoningTokens,
        int[] completionTokens,
        int[] cachedTokens,
        int[] retractionCounts,
        Integer[] dpRanks,
        GetLoadReqOutput load,
        double[][] stamps,
        NextToken[][] logprobs)
        implements Message {

    /** How many prompt tokens are decoded with the first output, so that text joins up (SGLang's 5). */
    public static final int SURROUNDING_TOKENS = 5;

    /** Without stage stamps and log probabilities. */
    public BatchTokenIDOutput(
            String[] rids,
            String[] httpWorkerIpcs,
            FinishReason[] finishedReasons,
            String[] decodedTexts,
            int[][] decodeIds,
            int[] readOffsets,
            int[][] outputIds,
            boolean[] skipSpecialTokens,
            boolean[] spacesBetweenSpecialTokens,
            boolean[] noStopTrim,
            int[] promptTokens,
            int[] reasoningTokens,
            int[] completionTokens,
            int[] cachedTokens,
            int[] retractionCounts,
            Integer[] dpRanks,
            GetLoadReqOutput load) {
        this(
                rids,
                httpWorkerIpcs,
                finishedReasons,
                decodedTexts,
                decodeIds,
                readOffsets,
                outputIds,
                skipSpecialTokens,
                spacesBetweenSpecialTokens,
                noStopTrim,
                promptTokens,
                reasoningTokens,
                completionTokens,
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
