package dpserve.tokenizer.process;

import dpserve.io.ModelArgs;
import dpserve.io.model.Providers;
import dpserve.io.model.Vocabulary;
import dpserve.tokenizer.JtokkitVocabulary;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Mixin;

/** Flags that choose the vocabulary, of tokenizer workers and detokenizers alike. */
public final class VocabularyArgs {
    /** The embedded vocabulary's name. */
    private static final String EMBEDDED = "cl100k_base";

    @Mixin
    private final ModelArgs model = new ModelArgs();

    /**
     * The vocabulary these flags name: a tokenizer.json, else that of the model, else the embedded one.
     *
     * @param chatTemplate a Jinja template to use instead of its own, or null
     * @throws IllegalArgumentException naming the flag that is wrong
     */
    public Vocabulary open(Path chatTemplate) {
        if (chatTemplate != null) {
            ModelArgs.readable("--chat-template", chatTemplate);
        }
        Path tokenizer = model.tokenizerPath();
        if (tokenizer != null) {
            return Providers.vocabulary(ModelArgs.HUGGING_FACE).vocabulary(tokenizer, chatTemplate);
        }
        if (model.isReal()) {
            return Providers.vocabulary(model.engine()).vocabulary(model.modelPath(), chatTemplate);
        }
        if (chatTemplate != null) {
            throw new IllegalArgumentException("--chat-template needs --tokenizer-path");
        }
        return new JtokkitVocabulary();
    }

    /** Whether the ranks give log probabilities. */
    public boolean hasLogprobs() {
        return model.isReal();
    }

    /**
     * Model and vocabulary by SGLang's names, as far as these flags tell; null for what only the model's file does.
     *
     * @param servedModelName stands for the path of a model that is none
     */
    Map<String, Object> modelInfo(String servedModelName) {
        boolean real = model.isReal();
        String modelPath = real ? String.valueOf(model.givenModelPath()) : servedModelName;
        Path tokenizer = model.givenTokenizerPath();
        String ownVocabulary = real ? modelPath : EMBEDDED;
        Map<String, Object> info = new LinkedHashMap<>();
        info.put("model_path", modelPath);
        info.put("tokenizer_path", tokenizer == null ? ownVocabulary : tokenizer.toString());
        info.put("load_format", real ? "gguf" : ModelArgs.SIMULATED);
        info.put("model_type", real ? null : ModelArgs.SIMULATED);
        info.put("architectures", real ? null : List.of("SimulatedEngine"));
        return info;
    }
}
