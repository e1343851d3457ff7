package dpserve.tokenizer.process;

import dpserve.io.ModelArgs;
import dpserve.io.model.Providers;
import dpserve.io.model.Vocabulary;
import dpserve.tokenizer.JtokkitVocabulary;
import picocli.CommandLine.Mixin;

/** Flags that choose the vocabulary, of tokenizer workers and detokenizers alike. */
public final class VocabularyArgs {
    @Mixin
    private final ModelArgs model = new ModelArgs();

    /**
     * The vocabulary these flags name: that of the model, else the embedded one.
     *
     * @throws IllegalArgumentException naming the flag that is wrong
     */
    public Vocabulary open() {
        return model.isReal()
                ? Providers.vocabulary(model.engine()).vocabulary(model.modelPath())
                : new JtokkitVocabulary();
    }

    /** Whether the ranks give log probabilities. */
    public boolean hasLogprobs() {
        return model.isReal();
    }
}
