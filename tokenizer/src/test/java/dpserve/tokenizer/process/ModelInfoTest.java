package dpserve.tokenizer.process;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;

/** What /model_info says of model and vocabulary. */
class ModelInfoTest {
    private static Map<String, Object> info(String... flags) {
        TokenizerManagerMain args = new TokenizerManagerMain();
        new CommandLine(args).setCaseInsensitiveEnumValuesAllowed(true).parseArgs(flags);
        return args.modelInfo();
    }

    @Test
    void shouldSayThatNothingIsReal() {
        assertThat(info("--served-model-name", "m"))
                .containsEntry("model_path", "m")
                .containsEntry("tokenizer_path", "cl100k_base")
                .containsEntry("load_format", "simulated")
                .containsEntry("model_type", "simulated")
                .containsEntry("architectures", List.of("SimulatedEngine"));
    }

    @Test
    void shouldNameTheVocabularyOfTheSimulatedEngineAsItWasGiven() {
        assertThat(info("--tokenizer-path", "/models/qwen"))
                .containsEntry("tokenizer_path", "/models/qwen")
                .containsEntry("model_type", "simulated");
    }

    @Test
    void shouldNameTheModelsFileAndNotGuessItsArchitecture() {
        Map<String, Object> info = info("--engine", "llama", "--model-path", "/models/smol.gguf");
        assertThat(info)
                .containsEntry("model_path", "/models/smol.gguf")
                .containsEntry("tokenizer_path", "/models/smol.gguf")
                .containsEntry("load_format", "gguf")
                .containsEntry("model_type", null)
                .containsEntry("architectures", null);
        assertThat(info("--engine", "llama", "--model-path", "/m.gguf", "--tokenizer-path", "/t"))
                .containsEntry("model_path", "/m.gguf")
                .containsEntry("tokenizer_path", "/t");
    }
}
