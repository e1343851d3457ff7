package dpserve.llama;

import static org.assertj.core.api.Assertions.assertThat;

import dpserve.io.model.ChatTurn;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

/**
 * A sequence's logits are bit for bit those it has alone, whoever runs beside it and whatever it found in the cache: with one bit
 * less the rounding of quantized activations moves logits by up to 1.6, and a greedy text turns elsewhere.
 */
class ExactnessTest {
    private static final int TOKENS = 32;
    private static final List<String> QUESTIONS = List.of(
            "What is the capital of France?",
            "Write a haiku about the sea.",
            "Name three colours.",
            "Explain gravity to a child.",
            "What is 12 times 12?",
            "Tell me a joke.",
            "Who wrote Hamlet?",
            "How do I boil an egg?");

    private final int count = QUESTIONS.size();
    private final int[][] ids = new int[count][];
    private final int[] promptLengths = new int[count];

    private static LlamaBatchDecoder decoder() {
        return new LlamaBatchDecoder(TestModel.model(), new LlamaBatchDecoder.Options(8192, 64, 512, 1));
    }

    @Test
    void shouldGiveTheLogitsThatASequenceHasAlone() {
        PlainLlama plain = new PlainLlama(TestModel.model());
        float[][][] alone = new float[count][][];
        for (int i = 0; i < count; i++) {
            int[] prompt = TestModel.model().vocabulary().encodeChat(List.of(new ChatTurn("user", QUESTIONS.get(i))));
            int[] output = plain.generate(prompt, TOKENS);
            ids[i] = Arrays.copyOf(prompt, prompt.length + output.length);
            System.arraycopy(output, 0, ids[i], prompt.length, output.length);
            promptLengths[i] = prompt.length;
        }
        for (int i = 0; i < count; i++) {
            try (LlamaBatchDecoder decoder = decoder()) {
                alone[i] = run(new KvSequences(decoder), List.of(i))[i];
            }
        }
        try (LlamaBatchDecoder decoder = decoder()) {
            KvSequences sequences = new KvSequences(decoder);
            List<Integer> all = new ArrayList<>();
            for (int i = 0; i < count; i++) {
                all.add(i);
            }
            // The second time each prompt is in the cache.
            for (int round = 0; round < 2; round++) {
                float[][][] together = run(sequences, all);
                for (int i = 0; i < count; i++) {
                    for (int n = 0; n < alone[i].length; n++) {
                        assertThat(Arrays.equals(together[i][n], alone[i][n]))
                                .as("round %d, %s, token %d", round, QUESTIONS.get(i), n)
                                .isTrue();
                        assertThat(TokenSampler.argmax(together[i][n])).isEqualTo(ids[i][promptLengths[i] + n]);
                    }
                }
            }
        }
        TestModel.print("logits of " + count + " sequences in one batch, and from the cache: bit for bit as alone");
    }

    /** Each joins one step after the one before it, as requests do; the logits before each output token. */
    private float[][][] run(KvSequences sequences, List<Integer> which) {
        float[][][] logits = new float[count][][];
        which.forEach(i -> logits[i] = new float[ids[i].length - promptLengths[i]][]);
        boolean any = true;
        for (int step = 0; any; step++) {
            any = false;
            List<int[]> entries = new ArrayList<>();
            for (int k = 0; k < which.size(); k++) {
                int i = which.get(k);
                int made = step - k;
                if (made == logits[i].length) {
                    sequences.release(i);
                }
                any |= made < logits[i].length;
                if (made >= 0 && made < logits[i].length) {
                    sequences.add(i, "", ids[i], promptLengths[i] + made, true);
                    entries.add(new int[] {i, made});
                }
            }
            if (!entries.isEmpty()) {
                sequences.run((entry, values) -> {
                    int[] at = entries.get(entry);
                    logits[at[0]][at[1]] = values.clone();
                });
            }
        }
        return logits;
    }
}
