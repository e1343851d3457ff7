package dpserve.scheduler;

import static org.assertj.core.api.Assertions.assertThat;

import dpserve.io.message.BatchTokenIDOutput;
import dpserve.io.message.FinishReason;
import dpserve.io.message.FlushCacheReqInput;
import dpserve.io.message.Message;
import dpserve.io.message.SamplingParams;
import dpserve.io.message.TokenizedGenerateReqInput;
import dpserve.io.model.NextToken;
import dpserve.io.model.StepModel;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class ModelEngineTest {
    private static final int VOCABULARY = 100;
    private static final int EOS = 99;

    private final CountingModel model = new CountingModel();
    private final List<BatchTokenIDOutput> outputs = new ArrayList<>();

    /** Chooses the last id plus 1, and keeps what each slot holds, as a real model keeps KV. */
    private static final class CountingModel implements StepModel {
        final Map<Integer, Integer> lengths = new HashMap<>();
        final List<Entry> entries = new ArrayList<>();
        int flushes;
        int kvBytesPerToken = 1;

        @Override
        public NextToken[] run(List<Entry> step) {
            NextToken[] tokens = new NextToken[step.size()];
            for (int i = 0; i < tokens.length; i++) {
                Entry e = step.get(i);
                assertThat(e.length()).isGreaterThan(lengths.getOrDefault(e.slot(), 0));
                lengths.put(e.slot(), e.length());
                entries.add(e);
                int next = e.ids()[e.length() - 1] + 1;
                tokens[i] = e.wantToken() ? new NextToken(next, -0.5, new int[] {next}, new double[] {-0.5}) : null;
            }
            return tokens;
        }

        @Override
        public void release(int slot) {
            lengths.remove(slot);
        }

        @Override
        public long kvBytes(int tokens) {
            return 10L + (long) kvBytesPerToken * tokens;
        }

        @Override
        public byte[] exportKv(int slot, int tokens) {
            assertThat(lengths).containsEntry(slot, tokens);
            return new byte[10 + tokens];
        }

        @Override
        public boolean importKv(int slot, String namespace, int[] ids, int tokens, byte[] kv) {
            lengths.put(slot, tokens);
            return kv.length == 10 + tokens;
        }

        @Override
        public void flush() {
            flushes++;
        }

        @Override
        public int vocabularySize() {
            return VOCABULARY;
        }

        @Override
        public int contextLength() {
            return 1000;
        }

        @Override
        public byte[] tokenBytes(int tokenId) {
            return new byte[0];
        }

        @Override
        public boolean isEos(int tokenId) {
            return tokenId == EOS;
        }

        @Override
        public String description() {
            return "counts";
        }

        @Override
        public void close() {}
    }

    private final Scheduler scheduler = new Scheduler(
            new TestConfig().build(),
            new ModelEngine(model),
            new SchedulerOutput() {
                @Override
                public void toDetokenizer(int index, BatchTokenIDOutput output) {
                    outputs.add(output);
                }

                @Override
                public void toTokenizer(String httpWorkerIpc, Message message) {
                    answers.add(message);
                }

                @Override
                public void warn(String kind, String detail) {
                    throw new AssertionError(kind + ": " + detail);
                }
            },
            1);

    private final List<Message> answers = new ArrayList<>();

    private void send(String rid, int... prompt) {
        scheduler.onMessage(
                TokenizedGenerateReqInput.of(rid, "tcp://127.0.0.1:1", prompt, SamplingParams.greedy(8), true), 0);
    }

    private void runUntilIdle() {
        for (Batch batch = scheduler.nextBatch(0); batch != null; batch = scheduler.nextBatch(0)) {
            scheduler.onStepFinished(batch, new ModelEngine(model).run(batch), 0);
        }
    }

    private int[] output(String rid) {
        return outputs.stream()
                .flatMapToInt(o -> {
                    int i = Arrays.asList(o.rids()).indexOf(rid);
                    return i < 0 ? Arrays.stream(new int[0]) : Arrays.stream(o.outputIds()[i]);
                })
                .toArray();
    }

    @Test
    void shouldDecodeSeveralSequencesTogetherUntilLengthOrEos() {
        send("a", 1, 2, 3);
        send("b", 50, EOS - 3);
        runUntilIdle();

        assertThat(output("a")).containsExactly(4, 5, 6, 7, 8, 9, 10, 11);
        assertThat(output("b")).containsExactly(EOS - 2, EOS - 1, EOS);
        assertThat(outputs.stream().flatMap(o -> Arrays.stream(o.finishedReasons())))
                .contains(new FinishReason.Length(8), new FinishReason.StopToken(EOS));
        assertThat(model.lengths).isEmpty();
        assertThat(scheduler.heldCount()).isZero();
    }

    @Test
    void shouldTellTheModelWhatARequestAsksFor() {
        send("a", 1, 2, 3);
        runUntilIdle();

        StepModel.Entry first = model.entries.get(0);
        assertThat(first.promptLength()).isEqualTo(3);
        assertThat(first.wantToken()).isTrue();
        assertThat(first.topLogprobs()).isEqualTo(NextToken.NO_LOGPROBS);
        assertThat(first.params().topK()).isEqualTo(1);
        assertThat(model.entries).extracting(StepModel.Entry::seed).containsOnly(first.seed());
    }

    @Test
    void shouldEmitLogprobsOfTheNewTokensToWhoAskedForThem() {
        send("plain", 1, 2, 3);
        TokenizedGenerateReqInput wanted = new TokenizedGenerateReqInput(
                "wanted",
                "tcp://127.0.0.1:1",
                null,
                new int[] {20},
                SamplingParams.greedy(5),
                true,
                -1,
                1,
                false,
                null,
                null,
                null,
                null,
                null,
                null,
                null,
                null,
                0,
                0.0);
        scheduler.onMessage(wanted, 0);
        runUntilIdle();

        NextToken[] tokens = outputs.stream()
                .filter(o -> o.logprobs() != null)
                .flatMap(o -> {
                    assertThat(o.logprobs().length).isEqualTo(o.size());
                    int i = Arrays.asList(o.rids()).indexOf("wanted");
                    int other = Arrays.asList(o.rids()).indexOf("plain");
                    assertThat(other < 0 || o.logprobs()[other] == null).isTrue();
                    return Arrays.stream(o.logprobs()[i]);
                })
                .toArray(NextToken[]::new);
        assertThat(tokens).extracting(NextToken::id).containsExactly(21, 22, 23, 24, 25);
        assertThat(tokens).extracting(NextToken::logprob).containsOnly(-0.5);
        assertThat(model.entries.stream().filter(e -> e.ids()[0] == 20)).allMatch(e -> e.topLogprobs() == 1);
    }

    @Test
    void shouldHandOverItsKvToAnotherRank() {
        CountingModel other = new CountingModel();
        PairedRanks pair = new PairedRanks(new ModelEngine(model), new ModelEngine(other));
        pair.request("a", 7, new int[] {1, 2, 3}, SamplingParams.greedy(8));
        pair.runUntilIdle();

        assertThat(pair.decode.reply("a").ids).containsExactly(4, 5, 6, 7, 8, 9, 10, 11);
        // The first token is the prefill rank's, and no rank computed what the other had.
        assertThat(model.entries).hasSize(1);
        assertThat(other.entries).extracting(StepModel.Entry::length).containsExactly(4, 5, 6, 7, 8, 9, 10);
        assertThat(model.lengths).isEmpty();
        assertThat(other.lengths).isEmpty();
        pair.assertEmpty();
    }

    @Test
    void shouldRefuseAPromptWhoseKvIsTooLargeToHandOver() {
        model.kvBytesPerToken = 20 << 20;
        PairedRanks pair = new PairedRanks(new ModelEngine(model), new ModelEngine(model));
        pair.request("a", 7, new int[] {1, 2, 3, 4}, SamplingParams.greedy(8));
        pair.runUntilIdle();

        assertThat(pair.prefill.reply("a").abort.abortMessage())
                .contains("the KV of 4 prompt tokens is 83886094 bytes, a PD server hands over at most 67108864");
        assertThat(pair.decode.reply("a").abort.abortMessage()).contains("hands over at most");
        pair.assertEmpty();
    }

    @Test
    void shouldNoticeTheKvOfOtherTokens() {
        PairedRanks pair = new PairedRanks(new ModelEngine(model), new ModelEngine(new CountingModel()));
        pair.onlyTo(pair.prefill, "a", 7, new int[] {1, 2, 3}, SamplingParams.greedy(8));
        pair.onlyTo(pair.decode, "a", 7, new int[] {1, 2, 4}, SamplingParams.greedy(8));
        pair.runUntilIdle();

        assertThat(pair.decode.counter("kv_mismatches")).isEqualTo(1);
        assertThat(pair.decode.reply("a").ids).isEmpty();
        pair.assertEmpty();
    }

    @Test
    void shouldRefuseIdsOutsideTheVocabulary() {
        send("a", 1, VOCABULARY);
        runUntilIdle();

        assertThat(answers).hasSize(1);
        assertThat(answers.get(0).toString()).contains("token id 100, the vocabulary has 0 to 99");
        assertThat(model.entries).isEmpty();
    }

    @Test
    void shouldForgetItsPrefixesWithTheCache() {
        send("a", 1, 2, 3);
        runUntilIdle();
        scheduler.onMessage(new FlushCacheReqInput("f", "tcp://127.0.0.1:1", 1.0), 0);
        runUntilIdle();

        assertThat(model.flushes).isEqualTo(1);
    }
}
