package dpserve.llama;

import dpserve.io.message.SamplingParams;
import dpserve.io.model.NextToken;
import java.util.Arrays;
import java.util.Map;
import java.util.SplittableRandom;

/**
 * Chooses the next token from a model's logits as SGLang's PyTorch sampler does: frequency and presence penalty, then
 * repetition penalty, each over the output alone; logit bias; temperature; then of the tokens by falling probability
 * the first {@code top_k}, those whose predecessors together have at most {@code top_p}, and those with at least
 * {@code min_p} of the first one's probability, all measured before any of them cut. {@code top_k} 1 is greedy; of equal
 * tokens the lower id goes first.
 *
 * <p>The draw is a function of seed and position alone, so a request that is computed again elsewhere, alone or among
 * others, gets the same tokens from the same logits. Keeps arrays to work in: used by one thread.
 */
public final class TokenSampler {
    /** SGLang sends temperature 0 as top_k 1; a temperature below this from anyone else means the same. */
    private static final double GREEDY_TEMPERATURE = 1e-6;

    /**
     * Candidates are first sought among tokens at least this likely compared to the most likely one, then among less
     * likely ones by {@link #WIDEN} each time: sorting a few instead of the vocabulary.
     */
    private static final double FIRST_CUT = 1e-3;

    private static final double WIDEN = 1e-6;

    /** Less likely tokens are lost in the rounding of sums: not worth further rounds. */
    private static final double LAST_CUT = 1e-30;

    private static final int[] NO_IDS = {};
    private static final double[] NO_VALUES = {};

    private final int[] endIds;
    private final double[] weights;
    private final long[] order;
    private final int[] counts;

    /**
     * @param vocabularySize logits given to each choice
     * @param endIds tokens that end a text, which {@code min_new_tokens} rules out
     */
    public TokenSampler(int vocabularySize, int[] endIds) {
        this.endIds = endIds.clone();
        this.weights = new double[vocabularySize];
        this.order = new long[vocabularySize];
        this.counts = new int[vocabularySize];
    }

    /**
     * What has been made so far, of which the choice is the next token.
     *
     * @param ids prompt and output; only the first {@code length} count
     * @param promptLength where the output begins, also that of earlier attempts
     * @param mayEnd false while {@code min_new_tokens} are not reached: neither the ids that end a text nor
     *     {@code stop_token_ids} are chosen then
     */
    public record Context(int[] ids, int promptLength, int length, boolean mayEnd) {}

    /** The token with the highest logit, of equal ones the lowest id; NaN counts as lowest. */
    public static int argmax(float[] logits) {
        int best = 0;
        for (int i = 1; i < logits.length; i++) {
            if (logits[i] > logits[best] || Float.isNaN(logits[best])) {
                best = i;
            }
        }
        return best;
    }

    /**
     * Chooses the next token.
     *
     * @param logits one per token id; changed in place
     * @param seed of the request: {@code sampling_seed}, or any number of its own
     * @param topLogprobs how many of the most likely tokens to report beside the chosen one, or {@link #NextToken.NO_LOGPROBS}
     * @throws IllegalArgumentException if no token has a finite logit
     */
    public NextToken sample(float[] logits, SamplingParams params, Context context, long seed, int topLogprobs) {
        adjust(logits, params, context);
        int best = argmax(logits);
        if (!Float.isFinite(logits[best])) {
            throw new IllegalArgumentException("no token has a finite logit");
        }
        boolean greedy = params.topK() == 1 || params.temperature() < GREEDY_TEMPERATURE;
        if (greedy && topLogprobs == NextToken.NO_LOGPROBS) {
            return new NextToken(best, Double.NaN, NO_IDS, NO_VALUES);
        }
        double temperature = params.temperature() < GREEDY_TEMPERATURE ? 1.0 : params.temperature();
        double mass = weigh(logits, logits[best], temperature);
        int id = greedy ? best : draw(logits, params, mass, seed, context.length());
        if (topLogprobs == NextToken.NO_LOGPROBS) {
            return new NextToken(id, Double.NaN, NO_IDS, NO_VALUES);
        }
        double logMass = Math.log(mass);
        int n = candidates(logits, topLogprobs, Double.POSITIVE_INFINITY, 0);
        int[] topIds = new int[n];
        double[] topValues = new double[n];
        for (int i = 0; i < n; i++) {
            topIds[i] = (int) order[i];
            topValues[i] = logprob(logits[topIds[i]], logits[best], temperature, logMass);
        }
        return new NextToken(id, logprob(logits[id], logits[best], temperature, logMass), topIds, topValues);
    }

    private static double logprob(float logit, float max, double temperature, double logMass) {
        return ((double) logit - max) / temperature - logMass;
    }

    private void adjust(float[] logits, SamplingParams p, Context c) {
        if (p.frequencyPenalty() != 0 || p.presencePenalty() != 0 || p.repetitionPenalty() != 1) {
            penalize(logits, p, c);
        }
        if (p.logitBias() != null) {
            for (Map.Entry<String, Double> bias : p.logitBias().entrySet()) {
                int id = Integer.parseInt(bias.getKey());
                if (id >= 0 && id < logits.length) {
                    logits[id] += bias.getValue().floatValue();
                }
            }
        }
        if (!c.mayEnd()) {
            for (int id : endIds) {
                logits[id] = Float.NEGATIVE_INFINITY;
            }
            for (int id : p.stopTokenIds()) {
                if (id >= 0 && id < logits.length) {
                    logits[id] = Float.NEGATIVE_INFINITY;
                }
            }
        }
    }

    private void penalize(float[] logits, SamplingParams p, Context c) {
        for (int i = c.promptLength(); i < c.length(); i++) {
            counts[c.ids()[i]]++;
        }
        for (int i = c.promptLength(); i < c.length(); i++) {
            int id = c.ids()[i];
            if (counts[id] > 0) {
                double logit = logits[id] - counts[id] * p.frequencyPenalty() - p.presencePenalty();
                logits[id] = (float) (logit < 0 ? logit * p.repetitionPenalty() : logit / p.repetitionPenalty());
                counts[id] = 0;
            }
        }
    }

    /** Sets each token's probability up to a common factor, the most likely one's being 1; returns their sum. */
    private double weigh(float[] logits, float max, double temperature) {
        double mass = 0;
        for (int i = 0; i < logits.length; i++) {
            double weight = Math.exp(((double) logits[i] - max) / temperature);
            weights[i] = weight >= 0 ? weight : 0; // NaN
            mass += weights[i];
        }
        return mass;
    }

    private int draw(float[] logits, SamplingParams p, double mass, long seed, int position) {
        // Both are mixed, so that neighbouring seeds and positions have nothing in common.
        double u = new SplittableRandom(new SplittableRandom(seed).nextLong() + position).nextDouble();
        if (p.topK() >= logits.length && p.topP() >= 1 && p.minP() <= 0) {
            return drawFromAll(u * mass);
        }
        double cut = p.topP() >= 1 ? Double.POSITIVE_INFINITY : p.topP() * mass;
        int n = candidates(logits, p.topK(), cut, p.minP());
        double kept = 0;
        for (int i = 0; i < n; i++) {
            kept += weights[(int) order[i]];
        }
        double rest = u * kept;
        for (int i = 0; i < n - 1; i++) {
            rest -= weights[(int) order[i]];
            if (rest < 0) {
                return (int) order[i];
            }
        }
        return (int) order[n - 1];
    }

    private int drawFromAll(double rest) {
        int last = 0;
        for (int i = 0; i < weights.length; i++) {
            if (weights[i] > 0) {
                last = i;
                rest -= weights[i];
                if (rest < 0) {
                    break;
                }
            }
        }
        return last;
    }

    /** Puts the tokens that may be chosen at the front of {@link #order}, most likely first, in its low 32 bits. */
    private int candidates(float[] logits, int topK, double topMass, double minWeight) {
        int limit = Math.min(topK, logits.length);
        for (double cut = Math.max(FIRST_CUT, minWeight); ; cut = Math.max(cut * WIDEN, minWeight)) {
            double least = cut < LAST_CUT ? minWeight : cut;
            int n = 0;
            double mass = 0;
            for (int i = 0; i < logits.length; i++) {
                if (weights[i] >= least && weights[i] > 0) {
                    order[n++] = sortKey(logits[i], i);
                    mass += weights[i];
                }
            }
            if (n >= limit || mass > topMass || least <= minWeight) {
                Arrays.sort(order, 0, n);
                return cutTail(Math.min(n, limit), topMass);
            }
        }
    }

    private int cutTail(int n, double topMass) {
        double before = 0;
        for (int i = 0; i < n; i++) {
            if (before > topMass) {
                return i;
            }
            before += weights[(int) order[i]];
        }
        return n;
    }

    /** Ascending by it is descending by logit, then ascending by id. */
    private static long sortKey(float logit, int id) {
        int bits = Float.floatToIntBits(logit + 0f); // -0 is 0
        int ascending = bits ^ (bits >> 31 & 0x7fffffff);
        return (long) ~ascending << 32 | id;
    }
}
