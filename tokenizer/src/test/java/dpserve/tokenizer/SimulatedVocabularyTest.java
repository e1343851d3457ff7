package dpserve.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;

import dpserve.io.SimulatedModel;
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
    void shouldBeWhatItsToolMakes() throws IOException {
        try (InputStream in = SimulatedModel.class.getResourceAsStream("simulated-vocabulary.txt")) {
            assertThat(new String(in.readAllBytes(), StandardCharsets.US_ASCII))
                    .as("run scripts/dev/make-simulated-vocabulary.sh")
                    .isEqualTo(SimulatedVocabularyMaker.make(VOCABULARY));
        }
    }
}
