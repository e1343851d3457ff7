package dpserve.llama;

import static org.assertj.core.api.Assertions.assertThat;

import dpserve.io.model.ChatTurn;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
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
            List<Integer> all = all();
            // The second time each prompt is in the cache.
            for (int round = 0; round < 2; round++) {
                assertAsAlone("round " + round, run(sequences, all), alone);
            }
        }
        try (LlamaBatchDecoder prefill = decoder();
                LlamaBatchDecoder decode = decoder()) {
            KvSequences decoding = new KvSequences(decode);
            long bytes = decoding.stateBytes(1000);
            assertAsAlone("handed over", run(new KvSequences(prefill), decoding, all()), alone);
            TestModel.print("KV of 1,000 tokens is " + bytes + " bytes; handed over, logits are bit for bit as alone");
        }
        TestModel.print("logits of " + count + " sequences in one batch, and from the cache: bit for bit as alone");
    }

    private List<Integer> all() {
        return IntStream.range(0, count).boxed().toList();
    }

    private void assertAsAlone(String what, float[][][] logits, float[][][] alone) {
        for (int i = 0; i < count; i++) {
            for (int n = 0; n < alone[i].length; n++) {
                assertThat(Arrays.equals(logits[i][n], alone[i][n]))
                        .as("%s, %s, token %d", what, QUESTIONS.get(i), n)
                        .isTrue();
                assertThat(TokenSampler.argmax(logits[i][n])).isEqualTo(ids[i][promptLengths[i] + n]);
            }
        }
    }

    /** Each joins one step after the one before it, as requests do; the logits before each output token. */
    private float[][][] run(KvSequences sequences, List<Integer> which) {
        return run(sequences, sequences, which);
    }

    /** The same, each prompt computed in one pool and the output in another. */
    private float[][][] run(KvSequences prefill, KvSequences decode, List<Integer> which) {
        float[][][] logits = new float[count][][];
        which.forEach(i -> logits[i] = new float[ids[i].length - promptLengths[i]][]);
        boolean any = true;
        for (int step = 0; any; step++) {
            any = false;
            List<int[]> first = new ArrayList<>();
            List<int[]> later = new ArrayList<>();
            for (int k = 0; k < which.size(); k++) {
                int i = which.get(k);
                int made = step - k;
                if (made == logits[i].length) {
                    decode.release(i);
                }
                any |= made < logits[i].length;
                if (made == 0) {
                    first.add(new int[] {i, made});
                } else if (made > 0 && made < logits[i].length) {
                    if (made == 1 && prefill != decode) {
                        byte[] kv = prefill.exportState(i, promptLengths[i]);
                        assertThat((long) kv.length).isEqualTo(decode.stateBytes(promptLengths[i]));
                        prefill.release(i);
                        decode.importState(i, "", ids[i], promptLengths[i], kv);
                    }
                    later.add(new int[] {i, made});
                }
            }
            if (prefill == decode) {
                later.addAll(first);
            } else {
                step(prefill, first, logits);
            }
            step(decode, later, logits);
        }
        return logits;
    }

    private void step(KvSequences sequences, List<int[]> entries, float[][][] logits) {
        for (int[] e : entries) {
            sequences.add(e[0], "", ids[e[0]], promptLengths[e[0]] + e[1], true);
        }
        if (!entries.isEmpty()) {
            sequences.run((entry, values) -> {
                int[] at = entries.get(entry);
                logits[at[0]][at[1]] = values.clone();
            });
        }
    }
}
