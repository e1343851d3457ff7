package dpserve.tokenizer.process;

import dpserve.io.ModelArgs;
import dpserve.io.model.Providers;
import dpserve.io.model.Vocabulary;
import dpserve.tokenizer.JtokkitVocabulary;
import java.nio.file.Path;
import picocli.CommandLine.Mixin;

/** Flags that choose the vocabulary, of tokenizer workers and detokenizers alike. */
public final class VocabularyArgs {
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
}
