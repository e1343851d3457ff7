package dpserve.llama;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Greedy outputs of several prompts, computed step by step together, with how clear each choice was. */
final class GreedyRun {
    private final LlamaVocabulary vocabulary = TestModel.model().vocabulary();
    private final int[][] ids;
    private final int[] promptLengths;
    private final int[] lengths;
    private final List<List<Float>> gaps = new ArrayList<>();

    GreedyRun(List<int[]> prompts, int maxTokens) {
        ids = prompts.stream().map(p -> Arrays.copyOf(p, p.length + maxTokens)).toArray(int[][]::new);
        promptLengths = prompts.stream().mapToInt(p -> p.length).toArray();
        lengths = promptLengths.clone();
        prompts.forEach(p -> gaps.add(new ArrayList<>()));
    }

    /** Runs all of them in the same steps, each on the sequence of its number, and frees the sequences. */
    GreedyRun on(LlamaBatchDecoder decoder) {
        List<Integer> inStep = new ArrayList<>();
        while (true) {
            inStep.clear();
            for (int i = 0; i < ids.length; i++) {
                if (!isDone(i)) {
                    decoder.add(i, ids[i], lengths[i], true);
                    inStep.add(i);
                }
            }
            if (inStep.isEmpty()) {
                break;
            }
            decoder.decode((entry, logits) -> take(inStep.get(entry), logits));
        }
        for (int i = 0; i < ids.length; i++) {
            decoder.truncate(i, 0);
        }
        return this;
    }

    private boolean isDone(int i) {
        return lengths[i] == ids[i].length
                || lengths[i] > promptLengths[i] && vocabulary.isEndOfGeneration(ids[i][lengths[i] - 1]);
    }

    private void take(int i, float[] logits) {
        int best = TokenSampler.argmax(logits);
        gaps.get(i).add(gap(logits));
        ids[i][lengths[i]++] = best;
    }

    /** By how much the best logit leads the second best. */
    static float gap(float[] logits) {
        float best = Float.NEGATIVE_INFINITY;
        float second = Float.NEGATIVE_INFINITY;
        for (float logit : logits) {
            if (logit > best) {
                second = best;
                best = logit;
            } else if (logit > second) {
                second = logit;
            }
        }
        return best - second;
    }

    int[] output(int i) {
        return Arrays.copyOfRange(ids[i], promptLengths[i], lengths[i]);
    }

    String text(int i) {
        StringBuilder text = new StringBuilder();
        for (int id : output(i)) {
            text.append(new String(vocabulary.tokenBytes(id), StandardCharsets.UTF_8));
        }
        return text.toString();
    }

    /** The gap at a choice. */
    float gap(int i, int token) {
        return gaps.get(i).get(token);
    }
}
