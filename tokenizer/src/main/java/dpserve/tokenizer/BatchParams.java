package dpserve.tokenizer;

import dpserve.io.message.SamplingParams;

/** What the sequences of one request hold together beside their prompts: a rank keeps parameters once for each of them. */
final class BatchParams {
    /** As many as one prompt with the largest {@code n} may have: 14 MiB on the ranks. */
    static final int MAX_LOGIT_BIAS = SamplingParamsParser.MAX_N * SamplingParamsParser.MAX_LOGIT_BIAS;

    /** The same of these: 32 MiB on the ranks. */
    static final int MAX_STOP_CHARACTERS =
            SamplingParamsParser.MAX_N * SamplingParamsParser.MAX_STOP_STRINGS * SamplingParamsParser.MAX_STOP_LENGTH;

    private long biases;
    private long stopCharacters;

    /**
     * Adds a prompt's.
     *
     * @param samples sequences of this prompt
     * @throws BadRequest if it is too much by now
     */
    void add(SamplingParams params, int samples) throws BadRequest {
        if (params.logitBias() != null) {
            biases += (long) params.logitBias().size() * samples;
        }
        for (String stop : params.stopStrs()) {
            stopCharacters += (long) stop.length() * samples;
        }
        check("logit_bias", biases, MAX_LOGIT_BIAS, "token ids");
        check("stop", stopCharacters, MAX_STOP_CHARACTERS, "characters");
    }

    private static void check(String field, long number, int most, String unit) throws BadRequest {
        if (number > most) {
            throw new BadRequest(
                    field,
                    field + " of all sequences of a request (prompts times n) may hold at most " + most + " " + unit
                            + ".");
        }
    }
}
