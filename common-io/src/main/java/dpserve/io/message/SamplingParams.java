package dpserve.io.message;

import java.util.List;
import java.util.Map;

/**
 * How to choose tokens and when to stop: the untagged array of 33 fields of SGLang 0.5.23. The fields that this
 * project does not use (grammars, beam width, watermark, custom parameters) are written as nil and skipped on reading.
 *
 * <p>Sent normalized, as SGLang's tokenizer manager does: {@code stop} is nil on the wire, the stop strings travel in
 * {@code stop_strs}.
 *
 * @param maxNewTokens most output tokens; null means as many as fit
 * @param stopTokenIds ids that end the output; never null, may be empty
 * @param topK {@link #TOP_K_ALL} for no limit
 * @param streamInterval tokens between two emissions of a stream, or null for the server's default
 * @param logitBias token id (as text) to bias, or null
 * @param stopStrs strings that end the output; never null, may be empty
 * @param stopStrMaxLen length of the longest stop string in tokens, 0 without one
 */
public record SamplingParams(
        Integer maxNewTokens,
        int[] stopTokenIds,
        double temperature,
        double topP,
        int topK,
        double minP,
        double frequencyPenalty,
        double presencePenalty,
        double repetitionPenalty,
        int minNewTokens,
        int n,
        boolean ignoreEos,
        boolean skipSpecialTokens,
        boolean spacesBetweenSpecialTokens,
        boolean noStopTrim,
        Integer streamInterval,
        Map<String, Double> logitBias,
        Long samplingSeed,
        List<String> stopStrs,
        int stopStrMaxLen) {

    /** SGLang's "no top-k limit". */
    public static final int TOP_K_ALL = 1 << 30;

    /** SGLang's default for {@code max_new_tokens} on /generate. */
    public static final int DEFAULT_MAX_NEW_TOKENS = 128;

    private static final int[] NO_IDS = {};

    /** Greedy sampling up to {@code maxNewTokens} tokens, everything else as SGLang's defaults. */
    public static SamplingParams greedy(int maxNewTokens) {
        return new SamplingParams(
                maxNewTokens,
                NO_IDS,
                1.0,
                1.0,
                1,
                0.0,
                0.0,
                0.0,
                1.0,
                0,
                1,
                false,
                true,
                true,
                false,
                null,
                null,
                null,
                List.of(),
                0);
    }

    /** The same parameters for the rest of an output: limits less {@code done} tokens that exist already. */
    public SamplingParams afterTokens(int done) {
        return withLimits(
                maxNewTokens == null ? null : Math.max(0, maxNewTokens - done), Math.max(0, minNewTokens - done));
    }

    /** The same parameters with other limits on the number of output tokens. */
    public SamplingParams withLimits(Integer newMaxNewTokens, int newMinNewTokens) {
        return new SamplingParams(
                newMaxNewTokens,
                stopTokenIds,
                temperature,
                topP,
                topK,
                minP,
                frequencyPenalty,
                presencePenalty,
                repetitionPenalty,
                newMinNewTokens,
                n,
                ignoreEos,
                skipSpecialTokens,
                spacesBetweenSpecialTokens,
                noStopTrim,
                streamInterval,
                logitBias,
                samplingSeed,
                stopStrs,
                stopStrMaxLen);
    }

    /** The same parameters, never ending at EOS. */
    public SamplingParams ignoringEos() {
        return new SamplingParams(
                maxNewTokens,
                stopTokenIds,
                temperature,
                topP,
                topK,
                minP,
                frequencyPenalty,
                presencePenalty,
                repetitionPenalty,
                minNewTokens,
                n,
                true,
                skipSpecialTokens,
                spacesBetweenSpecialTokens,
                noStopTrim,
                streamInterval,
                logitBias,
                samplingSeed,
                stopStrs,
                stopStrMaxLen);
    }
}
