package dpserve.bench.dataset;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;

/** generated-shared-prefix: groups of prompts, each a group's system prompt and a question of its own. */
final class SharedPrefixDataset {
    private static final int SYSTEM_LENGTHS = 11;
    private static final int QUESTION_LENGTHS = 12;
    private static final int OUTPUT_LENGTHS = 13;
    private static final int SYSTEM = 14;
    private static final int QUESTION = 15;
    private static final int GROUP = 16;
    private static final int SHUFFLE = 17;

    private SharedPrefixDataset() {}

    /**
     * @param ids prompts are sent as ids: then nothing stands between system prompt and question; in text two newlines do
     */
    static List<DatasetRow> generate(SharedPrefixOptions g, boolean ids, PromptTokens tokens, long seed) {
        int count = g.numGroups * g.promptsPerGroup;
        int[] systemLens =
                Seeds.lengths(g.systemPromptLen, g.rangeRatio, g.numGroups, Seeds.random(seed, SYSTEM_LENGTHS));
        int[] questionLens =
                Seeds.lengths(g.questionLen, g.rangeRatio, count * g.numTurns, Seeds.random(seed, QUESTION_LENGTHS));
        int[] outputLens = Seeds.lengths(g.outputLen, g.rangeRatio, count, Seeds.random(seed, OUTPUT_LENGTHS));
        TokenRun separator = new TokenRun.Literal(tokens.encode("\n\n"));
        Random random = Seeds.random(seed, GROUP);

        List<DatasetRow> rows = new ArrayList<>(count);
        for (int i = 0; i < count; i++) {
            int group = g.zipfAlpha == null ? i / g.promptsPerGroup : zipf(g.numGroups, g.zipfAlpha, random);
            TokenRun system = new TokenRun.Words(Seeds.mix(seed, SYSTEM, group), systemLens[group]);
            List<Prompt> rounds = new ArrayList<>(g.numTurns);
            for (int t = 0; t < g.numTurns; t++) {
                int q = i * g.numTurns + t;
                TokenRun question = new TokenRun.Words(Seeds.mix(seed, QUESTION, q), questionLens[q]);
                if (t > 0) {
                    rounds.add(new Prompt.Tokens(question));
                } else if (ids) {
                    rounds.add(new Prompt.Tokens(system, question));
                } else {
                    rounds.add(new Prompt.Tokens(system, separator, question));
                }
            }
            int promptLen = ((Prompt.Tokens) rounds.get(0)).length();
            Prompt prompt = g.numTurns == 1 ? rounds.get(0) : new Prompt.Conversation(rounds);
            String key = g.sendRoutingKey ? "gsp_" + seed + "_" + group : null;
            rows.add(new DatasetRow(prompt, promptLen, outputLens[i], Double.NaN, key));
        }
        if (!g.ordered) {
            Collections.shuffle(rows, Seeds.random(seed, SHUFFLE));
        }
        return rows;
    }

    /** A group from 0, drawn with weight 1 / (group + 1)^alpha. */
    private static int zipf(int groups, double alpha, Random random) {
        double total = 0;
        for (int k = 1; k <= groups; k++) {
            total += StrictMath.pow(k, -alpha);
        }
        double left = random.nextDouble() * total;
        for (int k = 1; k < groups; k++) {
            left -= StrictMath.pow(k, -alpha);
            if (left < 0) {
                return k - 1;
            }
        }
        return groups - 1;
    }
}
