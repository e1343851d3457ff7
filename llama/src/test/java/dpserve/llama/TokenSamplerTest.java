package dpserve.llama;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dpserve.io.message.SamplingParams;
import dpserve.io.model.NextToken;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class TokenSamplerTest {
    private static final int SIZE = 400;
    private static final int[] END = {5};
    private static final TokenSampler.Context EMPTY = new TokenSampler.Context(new int[0], 0, 0, true);

    private final TokenSampler sampler = new TokenSampler(SIZE, END);

    private static SamplingParams params(
            double temperature,
            double topP,
            int topK,
            double minP,
            double frequency,
            double presence,
            double repetition,
            Map<String, Double> bias) {
        return new SamplingParams(
                16,
                new int[] {7},
                temperature,
                topP,
                topK,
                minP,
                frequency,
                presence,
                repetition,
                0,
                1,
                false,
                true,
                true,
                false,
                null,
                bias,
                null,
                List.of(),
                0);
    }

    private static SamplingParams filters(double temperature, double topP, int topK, double minP) {
        return params(temperature, topP, topK, minP, 0, 0, 1, null);
    }

    private static final SamplingParams PLAIN = filters(1, 1, SamplingParams.TOP_K_ALL, 0);

    /** Few different values when coarse, so that ties are common. */
    private static float[] logits(Random random, double spread, boolean coarse) {
        float[] logits = new float[SIZE];
        for (int i = 0; i < SIZE; i++) {
            double value = random.nextGaussian() * spread;
            logits[i] = (float) (coarse ? Math.rint(value) : value);
        }
        return logits;
    }

    private static TokenSampler.Context context(Random random) {
        int[] ids = random.ints(40, 0, SIZE / 10).toArray();
        return new TokenSampler.Context(ids, 10, random.nextInt(10, 41), random.nextBoolean());
    }

    @Test
    void shouldChooseWhatThePlainReferenceChooses() {
        Random random = new Random(11);
        int greedy = 0;
        for (int n = 0; n < 3_000; n++) {
            SamplingParams p = params(
                    random.nextInt(8) == 0 ? 0 : 0.2 + 2 * random.nextDouble(),
                    random.nextBoolean() ? 1 : 0.05 + 0.95 * random.nextDouble(),
                    random.nextBoolean() ? SamplingParams.TOP_K_ALL : 1 + random.nextInt(SIZE),
                    random.nextBoolean() ? 0 : 0.3 * random.nextDouble(),
                    random.nextBoolean() ? 0 : 4 * random.nextDouble() - 2,
                    random.nextBoolean() ? 0 : 4 * random.nextDouble() - 2,
                    random.nextBoolean() ? 1 : 0.1 + 1.9 * random.nextDouble(),
                    random.nextBoolean() ? null : Map.of("3", 4.5, "20", -100.0));
            float[] logits = logits(random, random.nextInt(3) == 0 ? 0.1 : 4, random.nextInt(3) == 0);
            TokenSampler.Context context = context(random);
            long seed = random.nextLong();
            int top = random.nextInt(-1, 8);

            NextToken got = sampler.sample(logits.clone(), p, context, seed, top);
            NextToken expected = Reference.sample(logits.clone(), p, context, seed, top);

            assertThat(got.id()).as("case %d: %s", n, p).isEqualTo(expected.id());
            assertThat(got.topIds()).isEqualTo(expected.topIds());
            assertThat(got.topLogprobs()).containsExactly(expected.topLogprobs(), within(1e-9));
            if (top >= 0) {
                assertThat(got.logprob()).isCloseTo(expected.logprob(), within(1e-9));
            } else {
                assertThat(got.logprob()).isNaN();
            }
            greedy += got.id() == TokenSampler.argmax(logits) ? 1 : 0;
        }
        // The cases would show little if nearly all chose the best token, or nearly none.
        assertThat(greedy).isBetween(500, 2_500);
    }

    @Test
    void shouldDrawInProportionToTheProbabilities() {
        float[] logits = new float[SIZE];
        Arrays.fill(logits, Float.NEGATIVE_INFINITY);
        logits[1] = 0;
        logits[2] = (float) Math.log(2);
        logits[3] = (float) Math.log(7);
        int[] seen = new int[SIZE];
        int draws = 20_000;
        for (int position = 0; position < draws; position++) {
            TokenSampler.Context at = new TokenSampler.Context(new int[0], position, position, true);
            seen[
                    sampler.sample(logits.clone(), PLAIN, at, 42, NextToken.NO_LOGPROBS)
                            .id()]++;
        }

        assertThat(seen[1] + seen[2] + seen[3]).isEqualTo(draws);
        // Four standard deviations of a count.
        assertThat(seen[1]).isCloseTo(draws / 10, within(170));
        assertThat(seen[2]).isCloseTo(draws / 5, within(230));
    }

    @Test
    void shouldDependOnSeedAndPositionAlone() {
        float[] logits = logits(new Random(1), 0.1, false);
        TokenSampler other = new TokenSampler(SIZE, END);
        other.sample(logits.clone(), filters(0.5, 0.9, 20, 0), EMPTY, 9, 3);
        int[] ids = new int[30];
        int[] first = new int[30];
        for (int i = 0; i < 30; i++) {
            TokenSampler.Context at = new TokenSampler.Context(ids, 0, i, true);
            first[i] = sampler.sample(logits.clone(), PLAIN, at, 5, -1).id();

            assertThat(other.sample(logits.clone(), PLAIN, at, 5, -1).id()).isEqualTo(first[i]);
        }
        assertThat(Arrays.stream(first).distinct().count()).isGreaterThan(20);
        assertThat(IntStream.range(0, 30)
                        .filter(i ->
                                sampler.sample(logits.clone(), PLAIN, new TokenSampler.Context(ids, 0, i, true), 6, -1)
                                                .id()
                                        == first[i])
                        .count())
                .isLessThan(5);
    }

    @Test
    void shouldBeGreedyAtTopKOneAndAtTemperatureZero() {
        float[] logits = logits(new Random(2), 1, true);
        int best = TokenSampler.argmax(logits);
        for (SamplingParams p : List.of(SamplingParams.greedy(4), filters(0, 1, SamplingParams.TOP_K_ALL, 0))) {
            assertThat(sampler.sample(logits.clone(), p, EMPTY, 1, -1).id()).isEqualTo(best);
            assertThat(sampler.sample(logits.clone(), p, EMPTY, 1, 1).topIds()).containsExactly(best);
        }
    }

    @Test
    void shouldRuleOutEndTokensUntilTheOutputMayEnd() {
        float[] logits = new float[SIZE];
        logits[5] = 9;
        logits[7] = 8;
        logits[9] = 7;
        SamplingParams greedy = filters(0, 1, 1, 0);
        TokenSampler.Context early = new TokenSampler.Context(new int[0], 0, 0, false);

        assertThat(sampler.sample(logits.clone(), greedy, EMPTY, 0, -1).id()).isEqualTo(5);
        assertThat(sampler.sample(logits.clone(), greedy, early, 0, -1).id()).isEqualTo(9);
    }

    @Test
    void shouldPenalizeTheOutputButNotThePrompt() {
        float[] logits = new float[SIZE];
        logits[10] = 3;
        logits[11] = 2.5f;
        logits[12] = 2;
        int[] ids = {10, 11, 11, 12};
        SamplingParams frequency = params(0, 1, 1, 0, 0.6, 0, 1, null);

        assertThat(sampler.sample(logits.clone(), frequency, new TokenSampler.Context(ids, 4, 4, true), 0, -1)
                        .id())
                .isEqualTo(10);
        assertThat(sampler.sample(logits.clone(), frequency, new TokenSampler.Context(ids, 0, 3, true), 0, -1)
                        .id())
                .isEqualTo(10);
        assertThat(sampler.sample(
                                logits.clone(),
                                params(0, 1, 1, 0, 0, 0, 2, null),
                                new TokenSampler.Context(ids, 0, 3, true),
                                0,
                                -1)
                        .id())
                .isEqualTo(12);
    }

    @Test
    void shouldReportLogprobsThatSumToOne() {
        float[] logits = logits(new Random(4), 2, false);

        NextToken all = sampler.sample(logits, filters(0.7, 0.5, 10, 0), EMPTY, 3, SIZE);

        assertThat(all.topIds()).hasSize(SIZE);
        assertThat(Arrays.stream(all.topLogprobs()).map(Math::exp).sum()).isCloseTo(1, within(1e-9));
        assertThat(all.topLogprobs()).isSortedAccordingTo(Comparator.reverseOrder());
    }

    @Test
    void shouldPassOverNotANumber() {
        float[] logits = new float[SIZE];
        Arrays.fill(logits, Float.NaN);
        logits[44] = -3;

        assertThat(sampler.sample(logits.clone(), PLAIN, EMPTY, 0, 2).topIds()).containsExactly(44);
        assertThat(sampler.sample(logits.clone(), filters(1, 0.5, 3, 0.1), EMPTY, 0, -1)
                        .id())
                .isEqualTo(44);
        logits[44] = Float.NaN;
        assertThatThrownBy(() -> sampler.sample(logits, PLAIN, EMPTY, 0, -1))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("finite");
    }

    /** The rules written down plainly, with a full sort. */
    private static final class Reference {
        static NextToken sample(float[] logits, SamplingParams p, TokenSampler.Context c, long seed, int top) {
            Map<Integer, Integer> counts = new LinkedHashMap<>();
            for (int i = c.promptLength(); i < c.length(); i++) {
                counts.merge(c.ids()[i], 1, Integer::sum);
            }
            counts.forEach((id, count) -> {
                double logit = logits[id] - count * p.frequencyPenalty() - p.presencePenalty();
                logits[id] = (float) (logit < 0 ? logit * p.repetitionPenalty() : logit / p.repetitionPenalty());
            });
            if (p.logitBias() != null) {
                p.logitBias().forEach((id, bias) -> logits[Integer.parseInt(id)] += bias.floatValue());
            }
            if (!c.mayEnd()) {
                logits[END[0]] = Float.NEGATIVE_INFINITY;
                logits[p.stopTokenIds()[0]] = Float.NEGATIVE_INFINITY;
            }
            List<Integer> sorted = IntStream.range(0, SIZE)
                    .boxed()
                    .sorted(Comparator.comparing((Integer i) -> 0 - logits[i]).thenComparing(i -> i))
                    .toList();
            double temperature = p.temperature() == 0 ? 1 : p.temperature();
            double best = logits[sorted.get(0)];
            double[] probability = new double[SIZE];
            double mass = 0;
            for (int i = 0; i < SIZE; i++) {
                probability[i] = Math.exp((logits[i] - best) / temperature);
                mass += probability[i];
            }
            int id = p.temperature() == 0 ? sorted.get(0) : draw(sorted, probability, mass, p, c, seed);
            double logMass = Math.log(mass);
            int[] ids = sorted.stream()
                    .filter(i -> probability[i] > 0)
                    .limit(Math.max(0, top))
                    .mapToInt(i -> i)
                    .toArray();
            return new NextToken(
                    id,
                    (logits[id] - best) / temperature - logMass,
                    ids,
                    Arrays.stream(ids)
                            .mapToDouble(i -> (logits[i] - best) / temperature - logMass)
                            .toArray());
        }

        private static int draw(
                List<Integer> sorted,
                double[] probability,
                double mass,
                SamplingParams p,
                TokenSampler.Context c,
                long seed) {
            boolean all = p.topK() >= SIZE && p.topP() >= 1 && p.minP() <= 0;
            double[] kept = new double[SIZE];
            double before = 0;
            for (int rank = 0; rank < SIZE; rank++) {
                int id = sorted.get(rank);
                boolean keep =
                        rank < p.topK() && (p.topP() >= 1 || before <= p.topP() * mass) && probability[id] >= p.minP();
                before += probability[id];
                kept[id] = all || keep ? probability[id] : 0;
            }
            List<Integer> order = all ? IntStream.range(0, SIZE).boxed().toList() : sorted;
            double sum = order.stream().mapToDouble(i -> kept[i]).reduce(0, Double::sum);
            double rest = sum * new SplittableRandom(new SplittableRandom(seed).nextLong() + c.length()).nextDouble();
            for (int id : order) {
                rest -= kept[id];
                if (rest < 0) {
                    return id;
                }
            }
            throw new AssertionError("nothing drawn");
        }
    }
}
