package dpserve.huggingface;

import dpserve.io.model.Vocabulary;
import dpserve.io.model.VocabularyProvider;
import java.io.IOException;
import java.nio.file.Path;

/** {@code --tokenizer-path}: a tokenizer.json and what lies beside it. */
public final class HuggingFaceProvider implements VocabularyProvider {
    @Override
    public String name() {
        return "huggingface";
    }

    @Override
    public Vocabulary vocabulary(Path file, Path chatTemplate) {
        try {
            return new HuggingFaceVocabulary(TokenizerFiles.read(file, chatTemplate));
        } catch (IOException e) {
            throw new IllegalArgumentException("--tokenizer-path: cannot read " + file + ": " + e.getMessage(), e);
        }
    }
}
