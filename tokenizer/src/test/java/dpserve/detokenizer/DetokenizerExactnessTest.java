package dpserve.detokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import dpserve.detokenizer.TokenOutputs.Row;
import dpserve.io.SimulatedModel;
import dpserve.io.message.FinishReason;
import dpserve.io.model.Vocabulary;
import dpserve.tokenizer.JtokkitVocabulary;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Whatever the tokens and however they come in pieces, the texts joined are the decoding of all at once. */
class DetokenizerExactnessTest {
    private static final FinishReason DONE = new FinishReason.Length(1);
    private static final int MAX_PROMPT_TOKENS = 5;

    private final Vocabulary bytesAsTokens = new ByteVocabulary();
    private final Vocabulary real = new JtokkitVocabulary();

    @Test
    void shouldEqualJavasWholeDecodeForRandomBytesInRandomChunks() {
        Detokenizer detokenizer = detokenizer(bytesAsTokens);
        Random random = new Random(20_261);
        for (int round = 0; round < 100_000; round++) {
            byte[] bytes = nastyBytes(random, random.nextInt(12));
            int[] chunks = chunks(random, bytes.length);

            String text = String.join("", texts(detokenizer, new int[0], ByteVocabulary.ids(bytes), chunks));
            if (!text.equals(new String(bytes, StandardCharsets.UTF_8))) { // asserting each would take seconds
                fail("%s in %s gives %s", Arrays.toString(bytes), Arrays.toString(chunks), text);
            }
        }
        assertThat(detokenizer.states()).isZero();
    }

    @Test
    void shouldEqualWholeTextWhereAPromptEndsInsideACharacter() {
        Detokenizer detokenizer = detokenizer(bytesAsTokens);
        Random random = new Random(20_262);
        for (int round = 0; round < 50_000; round++) {
            int[] prompt = ByteVocabulary.ids(nastyBytes(random, random.nextInt(MAX_PROMPT_TOKENS + 1)));
            int[] output = ByteVocabulary.ids(nastyBytes(random, random.nextInt(9)));
            int[] chunks = chunks(random, output.length);

            String text = String.join("", texts(detokenizer, prompt, output, chunks));
            if (!text.equals(WholeText.reply(bytesAsTokens, prompt, output, true))) {
                fail("%s then %s gives %s", Arrays.toString(prompt), Arrays.toString(output), text);
            }
        }
    }

    @Test
    void shouldNeverShowHalfACharacterOfAnyUnicodeTextAtAnyChunking() {
        Detokenizer detokenizer = detokenizer(real);
        Random random = new Random(20_263);
        for (int round = 0; round < 3000; round++) {
            String text = randomText(random, 1 + random.nextInt(30));
            int[] ids = real.encode(text);
            List<String> texts = texts(detokenizer, real.encode("A prompt:"), ids, chunks(random, ids.length));

            assertThat(String.join("", texts)).as("round %d", round).isEqualTo(text);
            assertThat(texts).noneMatch(t -> t.indexOf('\ufffd') >= 0).allMatch(DetokenizerExactnessTest::isWhole);
        }
    }

    @Test
    void shouldWriteSimulatedOutputTokenByToken() {
        SimulatedModel model = SimulatedModel.create();
        Detokenizer detokenizer = detokenizer(real);
        for (int seed = 0; seed < 50; seed++) {
            int[] prompt = real.encode("Question " + seed + ": what is 🙂");
            int[] output = model.expectedOutput(prompt, 40 + seed, 0, false);
            int[] border = Arrays.copyOfRange(prompt, prompt.length - MAX_PROMPT_TOKENS, prompt.length);
            int[] one = new int[output.length];
            Arrays.fill(one, 1);

            assertThat(String.join("", texts(detokenizer, border, output, one)))
                    .isEqualTo(WholeText.reply(real, prompt, output, true));
        }
    }

    /** The text of each emission; the last chunk finishes. */
    private static List<String> texts(Detokenizer detokenizer, int[] prompt, int[] output, int[] chunks) {
        List<String> texts = new ArrayList<>();
        int from = 0;
        for (int c = 0; c < chunks.length; c++) {
            int[] ids = Arrays.copyOfRange(output, from, from + chunks[c]);
            from += chunks[c];
            Row row = c == 0 ? Row.first("r", prompt, ids) : Row.later("r", from, ids);
            texts.add(detokenizer.decode(TokenOutputs.of(c == chunks.length - 1 ? row.finished(DONE) : row))[0]);
        }
        return texts;
    }

    /** Sizes of the pieces: at least one, and no empty piece after the first. */
    private static int[] chunks(Random random, int length) {
        if (length == 0) {
            return new int[] {0};
        }
        List<Integer> sizes = new ArrayList<>();
        for (int left = length; left > 0; ) {
            int size = Math.min(left, 1 + random.nextInt(4));
            sizes.add(size);
            left -= size;
        }
        return sizes.stream().mapToInt(Integer::intValue).toArray();
    }

    /** Bytes of all classes a decoder tells apart, so that borders of every rule are met often. */
    private static byte[] nastyBytes(Random random, int length) {
        int[] borders = {
            'a', 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc1, 0xc2, 0xdf, 0xe0, 0xe1, 0xed, 0xef, 0xf0, 0xf1,
            0xf4, 0xf5, 0xf8, 0xff
        };
        byte[] bytes = new byte[length];
        for (int i = 0; i < length; i++) {
            bytes[i] = (byte) (random.nextInt(8) == 0 ? random.nextInt(256) : borders[random.nextInt(borders.length)]);
        }
        return bytes;
    }

    private static String randomText(Random random, int length) {
        StringBuilder text = new StringBuilder();
        while (text.length() < length) {
            int codePoint = random.nextBoolean() ? random.nextInt(0x3000) : random.nextInt(0x110000);
            if (codePoint != 0xfffd && (codePoint < 0xd800 || codePoint > 0xdfff)) {
                text.appendCodePoint(codePoint);
            }
        }
        return text.toString();
    }

    private static boolean isWhole(String text) {
        return text.isEmpty()
                || !Character.isLowSurrogate(text.charAt(0))
                        && !Character.isHighSurrogate(text.charAt(text.length() - 1));
    }

    private static Detokenizer detokenizer(Vocabulary vocabulary) {
        return new Detokenizer(vocabulary, 10, (kind, detail) -> {
            throw new AssertionError(kind + ": " + detail);
        });
    }
}
