package dpserve.tokenizer;

import dpserve.io.message.SamplingParams;

/**
 * How long prompts and replies may be.
 *
 * @param contextLength most tokens of a prompt and its reply together
 * @param dpSize ranks there are, bounds routed_dp_rank
 */
public record PromptLimits(int contextLength, int dpSize) {

    /** As the schedulers' default. */
    public static final int DEFAULT_CONTEXT_LENGTH = 32_768;

    /** Most prompts of one request: bounds what a single body can start. */
    public static final int MAX_BATCH = 4096;

    /** Checks one prompt against the context. */
    public void check(int[] inputIds, SamplingParams params) throws BadRequest {
        if (inputIds.length == 0) {
            throw new BadRequest("text", "The prompt must have at least one token.");
        }
        if (inputIds.length >= contextLength) {
            throw new BadRequest(
                    "text",
                    "The input (" + inputIds.length + " tokens) is longer than the model's context length ("
                            + contextLength + " tokens).");
        }
        if (params.maxNewTokens() != null && (long) params.maxNewTokens() + inputIds.length > contextLength) {
            throw new BadRequest(
                    "max_new_tokens",
                    "Requested token count exceeds the model's maximum context length of " + contextLength
                            + " tokens: " + inputIds.length + " from the input and " + params.maxNewTokens()
                            + " for the completion.");
        }
    }

    /** Checks the rank a client asks for. */
    public void checkRank(String field, Integer dpRank) throws BadRequest {
        if (dpRank != null && (dpRank < 0 || dpRank >= dpSize)) {
            throw new BadRequest(field, field + " must be 0 to " + (dpSize - 1) + ", got " + dpRank + ".");
        }
    }
}
