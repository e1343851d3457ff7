package dpserve.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dpserve.io.model.ChatTurn;
import dpserve.io.model.Vocabulary;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.function.IntFunction;
import org.junit.jupiter.api.Test;

class SimulatedModelTest {
    private static final SimulatedModel MODEL = SimulatedModel.create();

    /** First bytes of a character or more: such a token leaves the text incomplete. */
    private static final int EMOJI_START = 9468;

    @Test
    void shouldGiveTheSameOutputForTheSamePromptEverywhere() {
        int[] prompt = {1, 2, 3};

        assertThat(SimulatedModel.create().expectedOutput(prompt, 200, 0, true))
                .containsExactly(MODEL.expectedOutput(prompt, 200, 0, true));
        // part of the protocol: clients compute replies with it, so a change is a change of protocol
        assertThat(SimulatedModel.hash(prompt)).isEqualTo(-3_913_043_158_856_856_942L);
    }

    @Test
    void shouldContinueFromAnySplitPointAsTheOriginalDid() {
        Random random = new Random(7);
        for (int round = 0; round < 200; round++) {
            int[] prompt = random.ints(random.nextInt(20), 0, 100_277).toArray();
            int[] whole = MODEL.expectedOutput(prompt, 100, 0, false);
            int k = random.nextInt(whole.length);
            int[] resumed = Arrays.copyOf(prompt, prompt.length + k);
            System.arraycopy(whole, 0, resumed, prompt.length, k);

            assertThat(MODEL.expectedOutput(resumed, 100 - k, 0, false))
                    .as("round %d, split at %d of %d", round, k, whole.length)
                    .containsExactly(Arrays.copyOfRange(whole, k, whole.length));
        }
    }

    @Test
    void shouldDependOnEveryId() {
        int[] prompt = new Random(3).ints(50, 0, 100_277).toArray();
        Set<Long> hashes = new HashSet<>();
        hashes.add(SimulatedModel.hash(prompt));
        for (int i = 0; i < prompt.length; i++) {
            int[] other = prompt.clone();
            other[i]++;
            hashes.add(SimulatedModel.hash(other));
        }
        int[] swapped = prompt.clone();
        swapped[0] = prompt[1];
        swapped[1] = prompt[0];
        hashes.add(SimulatedModel.hash(swapped));
        hashes.add(SimulatedModel.hash(Arrays.copyOf(prompt, 49)));

        assertThat(hashes).hasSize(53);
    }

    @Test
    void shouldEndOnceIn256TokensUnlessEosIsSuppressed() {
        int ended = 0;
        int tokens = 0;
        for (int i = 0; i < 4000; i++) {
            int[] output = MODEL.expectedOutput(new int[] {i}, 4096, 0, false);
            tokens += output.length;
            ended += output[output.length - 1] == MODEL.eosTokenId() ? 1 : 0;
        }

        assertThat(ended).isGreaterThan(3995);
        assertThat((double) tokens / ended).isBetween(240.0, 280.0);
        assertThat(MODEL.expectedOutput(new int[] {5}, 20_000, 0, true)).doesNotContain(MODEL.eosTokenId());
    }

    @Test
    void shouldSuppressEosBelowTheMinimumOnly() {
        for (int i = 0; i < 1000; i++) {
            int[] free = MODEL.expectedOutput(new int[] {i}, 64, 0, false);
            int[] held = MODEL.expectedOutput(new int[] {i}, 64, 40, false);
            if (free.length <= 40) {
                assertThat(held).hasSizeGreaterThan(40);
                assertThat(Arrays.copyOf(held, free.length - 1)).containsExactly(Arrays.copyOf(free, free.length - 1));
            } else {
                assertThat(held).containsExactly(free);
            }
        }
    }

    @Test
    void shouldUseItsWholeTableInProportion() {
        Map<Integer, Integer> counts = new HashMap<>();
        long hash = SimulatedModel.START;
        int previous = SimulatedModel.NO_TOKEN;
        int draws = 1_000_000;
        for (int i = 0; i < draws; i++) {
            previous = MODEL.next(hash, previous, false);
            hash = SimulatedModel.extend(hash, previous);
            counts.merge(previous, 1, Integer::sum);
        }

        assertThat(counts.keySet())
                .containsExactlyInAnyOrderElementsOf(
                        Arrays.stream(MODEL.tokenIds()).boxed().toList());
        assertThat(MODEL.tokenIds().length).isBetween(500, 1000);
        assertThat(counts.get(13)).as("full stops").isBetween(draws / 40, draws / 15);
        assertThat(counts.get(EMOJI_START)).as("split characters").isBetween(draws / 1000, draws / 50);
    }

    @Test
    void shouldWriteValidTextWithCharactersOfSeveralBytes() {
        byte[] text = bytes(MODEL.expectedOutput(new int[] {9}, 200_000, 0, true));
        int end = text.length;
        while (text[end - 1] < 0) {
            end--; // the length may have cut the last character
        }
        int complete = end;

        assertThatCode(() -> StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(text, 0, complete)))
                .doesNotThrowAnyException();
        String decoded = new String(text, 0, complete, StandardCharsets.UTF_8);
        assertThat(decoded).contains("é", "你", "😊", "🌀", " 👍", "龍", " the ", ".");
    }

    @Test
    void shouldFinishACharacterThatThePromptBegan() {
        for (int i = 0; i < 1000; i++) {
            int[] output = MODEL.expectedOutput(new int[] {i, EMOJI_START}, 5, 0, false);
            byte[] character = bytes(new int[] {EMOJI_START, output[0]});

            assertThat(new String(character, StandardCharsets.UTF_8)).hasSize(2).doesNotContain("\ufffd");
            assertThat(output[0]).isNotEqualTo(MODEL.eosTokenId());
        }
    }

    @Test
    void shouldKnowNoBytesForIdsOutsideItsTable() {
        assertThat(MODEL.tokenBytes(MODEL.eosTokenId())).isEmpty();
        assertThat(MODEL.tokenBytes(-1)).isEmpty();
        assertThat(MODEL.tokenBytes(Integer.MAX_VALUE)).isEmpty();
        assertThat(MODEL.expectedOutput(new int[0], 0, 0, false)).isEmpty();
        assertThat(MODEL.expectedOutput(new int[0], 3, 0, false)).hasSize(3);
    }

    private static byte[] bytes(int[] ids) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        for (int id : ids) {
            out.writeBytes(MODEL.tokenBytes(id));
        }
        return out.toByteArray();
    }

    @Test
    void shouldSpeakTheWordsOfAnotherVocabulary() {
        Vocabulary words = vocabulary(100, id -> id < 60 ? " word" + (char) ('a' + id % 26) : "<" + id + ">");
        int[] output = SimulatedModel.of(words).expectedOutput(new int[] {1, 2}, 500, 0, true);
        assertThat(Arrays.stream(output).boxed()).hasSize(500).allMatch(id -> id < 60 && id != 7);
        int[] ended = SimulatedModel.of(words).expectedOutput(new int[] {1, 2}, 10_000, 0, false);
        assertThat(ended[ended.length - 1]).isEqualTo(7);

        Vocabulary letters = vocabulary(26, id -> String.valueOf((char) ('a' + id)));
        assertThat(SimulatedModel.of(letters).expectedOutput(new int[] {1}, 9, 0, true))
                .hasSize(9);
        assertThatThrownBy(() -> SimulatedModel.of(vocabulary(100, id -> "#" + id)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("neither words nor letters");
    }

    /** Token 7 ends texts. */
    private static Vocabulary vocabulary(int size, IntFunction<String> text) {
        return new Vocabulary() {
            @Override
            public int[] encode(String ignored) {
                throw new AssertionError("not asked for");
            }

            @Override
            public int[] encodeChat(List<ChatTurn> turns) {
                throw new AssertionError("not asked for");
            }

            @Override
            public byte[] tokenBytes(int id) {
                return text.apply(id).getBytes(StandardCharsets.UTF_8);
            }

            @Override
            public int size() {
                return size;
            }

            @Override
            public int longestTokenBytes() {
                return 10;
            }

            @Override
            public int eosTokenId() {
                return 7;
            }

            @Override
            public boolean isSpecial(int id) {
                return id == 7;
            }
        };
    }
}
