package dpserve.tokenizer.process;

import dpserve.io.ModelArgs;
import dpserve.io.model.Providers;
import dpserve.io.model.Vocabulary;
import dpserve.tokenizer.JtokkitVocabulary;
import java.nio.file.Path;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Flags that choose the vocabulary, of tokenizer workers and detokenizers alike. */
public final class VocabularyArgs {
    /** The optional module that reads tokenizer.json. */
    private static final String HUGGING_FACE = "huggingface";

    @Mixin
    private final ModelArgs model = new ModelArgs();

    @Option(
            names = "--tokenizer-path",
            paramLabel = "FILE",
            description = "Hugging Face tokenizer.json to use as vocabulary (default: that of the model).")
    private Path tokenizerPath;

    /**
     * The vocabulary these flags name: a tokenizer.json, else that of the model, else the embedded one.
     *
     * @throws IllegalArgumentException naming the flag that is wrong
     */
    public Vocabulary open() {
        if (tokenizerPath != null) {
            return Providers.vocabulary(HUGGING_FACE).vocabulary(ModelArgs.readable("--tokenizer-path", tokenizerPath));
        }
        return model.isReal()
                ? Providers.vocabulary(model.engine()).vocabulary(model.modelPath())
                : new JtokkitVocabulary();
    }

    /** Whether the ranks give log probabilities. */
    public boolean hasLogprobs() {
        return model.isReal();
    }
}
