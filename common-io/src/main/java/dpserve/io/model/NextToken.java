package dpserve.io.model;

/**
 * A chosen token. Log probabilities are natural logarithms of the model's distribution after logit bias, penalties and
 * temperature, before top_k, top_p and min_p cut it (what SGLang reports); greedy ones are at temperature 1.
 *
 * @param logprob of the chosen token; NaN if none were asked for
 * @param topIds the most likely tokens, most likely first; of equal ones the lower id
 * @param topLogprobs theirs
 */
public record NextToken(int id, double logprob, int[] topIds, double[] topLogprobs) {
    /** Where a number of top log probabilities is asked for: none at all, not even the chosen token's. */
    public static final int NO_LOGPROBS = -1;
}
