package dpserve.bench.dataset;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/**
 * random: prompts of drawn length from word tokens, or from a ShareGPT file whose prompts are repeated or cut to the length.
 * random-ids: counting ids from a drawn start, as upstream; as text they may come back as other tokens.
 */
final class RandomDataset {
    private static final int INPUT_LENGTHS = 1;
    private static final int OUTPUT_LENGTHS = 2;
    private static final int CONTENT = 3;

    private RandomDataset() {}

    static List<DatasetRow> generate(DatasetOptions o, PromptTokens tokens, long seed) throws IOException {
        int[] in = Seeds.lengths(o.randomInputLen, o.randomRangeRatio, o.numPrompts, Seeds.random(seed, INPUT_LENGTHS));
        int[] out =
                Seeds.lengths(o.randomOutputLen, o.randomRangeRatio, o.numPrompts, Seeds.random(seed, OUTPUT_LENGTHS));
        List<DatasetRow> rows = new ArrayList<>(o.numPrompts);
        if (o.name.equals("random") && !o.path.isEmpty()) {
            for (ConversationDataset.Turn turn : ConversationDataset.shareGpt(o.path, seed)) {
                int[] ids = tokens.encode(turn.prompt());
                if (rows.size() == o.numPrompts) {
                    break;
                }
                if (ids.length > 0) {
                    int i = rows.size();
                    rows.add(row(repeated(ids, in[i]), out[i]));
                }
            }
            return rows;
        }
        for (int i = 0; i < o.numPrompts; i++) {
            TokenRun run = o.name.equals("random")
                    ? new TokenRun.Words(Seeds.mix(seed, CONTENT, i), in[i])
                    : new TokenRun.Counting(Seeds.random(seed, CONTENT, i).nextInt(tokens.ordinary()), in[i]);
            rows.add(row(run, out[i]));
        }
        return rows;
    }

    private static DatasetRow row(TokenRun run, int outputLen) {
        return new DatasetRow(new Prompt.Tokens(run), run.length(), outputLen);
    }

    private static TokenRun repeated(int[] ids, int length) {
        int[] filled = new int[length];
        for (int i = 0; i < length; i++) {
            filled[i] = ids[i % ids.length];
        }
        return new TokenRun.Literal(filled);
    }
}
