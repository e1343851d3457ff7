package dpserve.llama;

import dpserve.io.model.Vocabulary;
import dpserve.io.model.VocabularyProvider;
import java.nio.file.Path;

/** Vocabularies of GGUF files. */
public final class LlamaVocabularyProvider implements VocabularyProvider {
    @Override
    public String name() {
        return LlamaEngineProvider.NAME;
    }

    /** The model stays open as long as the process lives. */
    @Override
    public Vocabulary vocabulary(Path file, Path chatTemplate) {
        if (chatTemplate != null) {
            throw new IllegalArgumentException(
                    "--chat-template needs --tokenizer-path: llama.cpp evaluates no templates");
        }
        try {
            return LlamaModel.loadVocabulary(LlamaLibrary.open(), file).vocabulary();
        } catch (LlamaException e) {
            throw new IllegalArgumentException(e.getMessage(), e);
        }
    }
}
