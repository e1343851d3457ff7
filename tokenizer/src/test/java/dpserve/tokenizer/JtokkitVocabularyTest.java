package dpserve.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import com.knuddels.jtokkit.Encodings;
import com.knuddels.jtokkit.api.Encoding;
import com.knuddels.jtokkit.api.EncodingType;
import com.knuddels.jtokkit.api.IntArrayList;
import dpserve.io.model.Vocabulary;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;

class JtokkitVocabularyTest {
    private static final Vocabulary VOCABULARY = new JtokkitVocabulary();

    @Test
    void shouldKnowItsLongestToken() {
        Vocabulary vocabulary = new JtokkitVocabulary();
        int longest = 0;
        for (int id = 0; id < vocabulary.size(); id++) {
            longest = Math.max(longest, vocabulary.tokenBytes(id).length);
        }
        assertThat(vocabulary.longestTokenBytes()).isEqualTo(longest);
    }

    @Test
    void shouldEncodeAsTheOriginalVocabularyDoes() {
        // published examples of cl100k_base
        assertThat(VOCABULARY.encode("hello world")).containsExactly(15339, 1917);
        assertThat(VOCABULARY.encode("")).isEmpty();
    }

    @Test
    void shouldTreatSpecialTokensInUserTextAsOrdinaryText() {
        int[] ids = VOCABULARY.encode("a<|endoftext|>b");

        assertThat(ids).doesNotContain(VOCABULARY.eosTokenId()).hasSizeGreaterThan(3);
        assertThat(bytes(ids)).isEqualTo("a<|endoftext|>b".getBytes(StandardCharsets.UTF_8));
    }

    @Test
    void shouldNameItsSpecialTokens() {
        assertThat(VOCABULARY.eosTokenId()).isEqualTo(100_257);
        assertThat(new String(VOCABULARY.tokenBytes(100_257), StandardCharsets.UTF_8))
                .isEqualTo("<|endoftext|>");
        assertThat(VOCABULARY.isSpecial(100_257)).isTrue();
        assertThat(VOCABULARY.isSpecial(100_276)).isTrue();
        assertThat(VOCABULARY.isSpecial(100_255)).isFalse();
    }

    @Test
    void shouldAcceptEveryIdBelowItsSizeAndKnowTheHoles() {
        int withoutBytes = 0;
        for (int id = 0; id < VOCABULARY.size(); id++) {
            if (VOCABULARY.tokenBytes(id).length == 0) {
                withoutBytes++;
                assertThat(id == 100_256 || id > 100_260 && id < 100_276)
                        .as("id %d", id)
                        .isTrue();
            }
        }
        assertThat(withoutBytes).isEqualTo(16);
        assertThat(VOCABULARY.tokenBytes(-1)).isEmpty();
        assertThat(VOCABULARY.tokenBytes(VOCABULARY.size())).isEmpty();
        assertThat(VOCABULARY.tokenBytes(Integer.MAX_VALUE)).isEmpty();
        assertThat(VOCABULARY.isSpecial(100_261)).isFalse();
        assertThat(VOCABULARY.isSpecial(-1)).isFalse();
    }

    @Test
    void shouldKnowTheSameBytesAsTheEncoder() {
        Encoding encoding = Encodings.newLazyEncodingRegistry().getEncoding(EncodingType.CL100K_BASE);
        for (int id = 0; id < VOCABULARY.size(); id++) {
            if (VOCABULARY.tokenBytes(id).length > 0) {
                IntArrayList one = new IntArrayList();
                one.add(id);
                if (!Arrays.equals(VOCABULARY.tokenBytes(id), encoding.decodeBytes(one))) {
                    fail("token %d", id);
                }
            }
        }
    }

    @Test
    void shouldReadAnUnpairedSurrogateAsTheReplacementCharacter() {
        for (String broken : new String[] {"a\ud83db", "\ude00\ud83d", "😀\ud83d", "\udfff😀"}) {
            String repaired = broken.codePoints()
                    .map(c -> c >= 0xd800 && c <= 0xdfff ? 0xfffd : c)
                    .collect(StringBuilder::new, StringBuilder::appendCodePoint, StringBuilder::append)
                    .toString();
            assertThat(VOCABULARY.encode(broken)).containsExactly(VOCABULARY.encode(repaired));
        }
    }

    @Test
    void shouldKeepEveryByteOfAnyText() {
        Random random = new Random(42);
        for (int round = 0; round < 300; round++) {
            StringBuilder text = new StringBuilder();
            int length = random.nextInt(80);
            for (int i = 0; i < length; i++) {
                text.appendCodePoint(
                        switch (random.nextInt(4)) {
                            case 0 -> ' ' + random.nextInt(95);
                            case 1 -> random.nextInt(0xd800);
                            case 2 -> 0x1f300 + random.nextInt(0x400);
                            default -> 0x4e00 + random.nextInt(0x5000);
                        });
            }
            assertThat(bytes(VOCABULARY.encode(text.toString())))
                    .as("round %d", round)
                    .isEqualTo(text.toString().getBytes(StandardCharsets.UTF_8));
        }
    }

    private static byte[] bytes(int[] ids) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        for (int id : ids) {
            out.writeBytes(VOCABULARY.tokenBytes(id));
        }
        return out.toByteArray();
    }
}
