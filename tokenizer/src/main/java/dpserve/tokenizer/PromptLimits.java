package dpserve.tokenizer;

import dpserve.io.message.SamplingParams;
import dpserve.io.model.ChatTurn;
import dpserve.io.model.Vocabulary;
import java.util.List;
import java.util.function.IntSupplier;

/**
 * What requests may ask for.
 *
 * @param contextLength most tokens of a prompt and its reply together
 * @param ranks one more than the highest dp_rank at this time, bounds routed_dp_rank
 * @param logprobs whether the ranks give log probabilities
 */
public record PromptLimits(int contextLength, IntSupplier ranks, boolean logprobs) {

    /** Most of the most likely tokens of one position, as OpenAI's. */
    static final int MAX_TOP_LOGPROBS = 20;

    /** Without log probabilities. */
    public PromptLimits(int contextLength, IntSupplier ranks) {
        this(contextLength, ranks, false);
    }

    /** As the schedulers' default. */
    public static final int DEFAULT_CONTEXT_LENGTH = 32_768;

    /** Most sequences of one request, prompts times samples: bounds what a single body can start. */
    public static final int MAX_BATCH = 4096;

    /** Tokens left for the reply to a prompt, if the client names no limit: the default, or less where it does not fit. */
    int defaultMaxTokens(int defaultTokens, int[] inputIds) {
        return Math.max(1, Math.min(defaultTokens, contextLength - inputIds.length));
    }

    /** Refuses a text that cannot fit before its tokens are made: that takes seconds for some megabytes of spaces. */
    void checkText(String field, String text, Vocabulary vocabulary) throws BadRequest {
        checkCharacters(field, text.length(), vocabulary);
    }

    /** The same for the contents of a chat together. */
    void checkChat(String field, List<ChatTurn> turns, Vocabulary vocabulary) throws BadRequest {
        checkCharacters(
                field, turns.stream().mapToLong(t -> t.content().length()).sum(), vocabulary);
    }

    private void checkCharacters(String field, long characters, Vocabulary vocabulary) throws BadRequest {
        if (characters / vocabulary.longestTokenBytes() >= contextLength) {
            throw tooLong(field, characters + " characters");
        }
    }

    /**
     * Checks one prompt against the context.
     *
     * @param promptField named in errors about the prompt
     * @param names name the limit on the reply in errors
     */
    void check(String promptField, int[] inputIds, SamplingParams params, SamplingParamsParser.Names names)
            throws BadRequest {
        if (inputIds.length == 0) {
            throw new BadRequest(promptField, "The prompt must have at least one token.");
        }
        if (inputIds.length >= contextLength) {
            throw tooLong(promptField, inputIds.length + " tokens");
        }
        if (params.maxNewTokens() != null && (long) params.maxNewTokens() + inputIds.length > contextLength) {
            throw new BadRequest(
                    names.maxTokens(),
                    "Requested token count exceeds the model's maximum context length of " + contextLength
                            + " tokens: " + inputIds.length + " from the input and " + params.maxNewTokens()
                            + " for the completion (" + names.maxTokens() + ").");
        }
    }

    private BadRequest tooLong(String field, String length) {
        return new BadRequest(
                field,
                "The input (" + length + ") is longer than the model's context length (" + contextLength + " tokens).");
    }

    /** Checks the number of sequences of one request. */
    static void checkBatch(String field, int prompts, int samples) throws BadRequest {
        if (prompts < 1 || prompts > MAX_BATCH) {
            throw new BadRequest(field, field + " must hold 1 to " + MAX_BATCH + " prompts, got " + prompts + ".");
        }
        if ((long) prompts * samples > MAX_BATCH) {
            throw new BadRequest(
                    "n",
                    "The request asks for " + (long) prompts * samples + " sequences (prompts times n), the limit is "
                            + MAX_BATCH + ".");
        }
    }

    /**
     * What a client that wants log probabilities gets.
     *
     * @param field asks for them at all
     * @param topField says how many of the most likely tokens
     */
    SequenceSpec.Logprobs logprobs(String field, String topField, int top, boolean withText) throws BadRequest {
        if (!logprobs) {
            throw new BadRequest(field, field + " is not supported by this server: the simulated engine has none.");
        }
        if (top < 0 || top > MAX_TOP_LOGPROBS) {
            throw new BadRequest(topField, topField + " must be 0 to " + MAX_TOP_LOGPROBS + ", got " + top + ".");
        }
        return new SequenceSpec.Logprobs(top, withText);
    }

    /** Checks the rank a client asks for. */
    public void checkRank(String field, Integer dpRank) throws BadRequest {
        int bound = ranks.getAsInt();
        if (dpRank != null && (dpRank < 0 || dpRank >= bound)) {
            throw new BadRequest(field, field + " must be 0 to " + (bound - 1) + ", got " + dpRank + ".");
        }
    }
}
