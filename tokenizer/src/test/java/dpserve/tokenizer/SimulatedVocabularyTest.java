package dpserve.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import dpserve.io.SimulatedModel;
import dpserve.io.model.Vocabulary;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

class SimulatedVocabularyTest {
    private static final Vocabulary VOCABULARY = new JtokkitVocabulary();

    @Test
    void shouldHoldTheBytesOfTheRealVocabulary() {
        SimulatedModel model = SimulatedModel.create();

        assertThat(model.eosTokenId()).isEqualTo(VOCABULARY.eosTokenId());
        for (int id : model.tokenIds()) {
            assertThat(model.tokenBytes(id)).as("token %d", id).isNotEmpty().isEqualTo(VOCABULARY.tokenBytes(id));
        }
    }

    @Test
    void shouldBeginWithWholeCharactersAfterAnyPromptOfWholeCharacters() {
        SimulatedModel model = SimulatedModel.create();
        for (int codePoint = ' '; codePoint < 0x20000; codePoint++) {
            if (codePoint >= 0xd800 && codePoint <= 0xdfff) {
                continue;
            }
            int[] prompt = VOCABULARY.encode(Character.toString(codePoint));
            int[] output = model.expectedOutput(prompt, 1, 0, false);
            if ((VOCABULARY.tokenBytes(output[0])[0] & 0xc0) == 0x80) {
                fail("after U+%x comes half a character", codePoint);
            }
        }
    }

    @Test
    void shouldBeWhatItsToolMakes() throws IOException {
        try (InputStream in = SimulatedModel.class.getResourceAsStream("simulated-vocabulary.txt")) {
            assertThat(new String(in.readAllBytes(), StandardCharsets.US_ASCII))
                    .as("run scripts/dev/make-simulated-vocabulary.sh")
                    .isEqualTo(SimulatedVocabularyMaker.make(VOCABULARY));
        }
    }
}
