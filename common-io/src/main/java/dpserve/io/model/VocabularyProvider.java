package dpserve.io.model;

import java.nio.file.Path;

/** Reads vocabularies from one kind of file. An optional module offers it under META-INF/services. */
public interface VocabularyProvider {
    /** What {@link Providers#vocabulary} finds it by. */
    String name();

    /**
     * Reads the vocabulary.
     *
     * @throws RuntimeException naming the file, if it is not one of this kind
     */
    Vocabulary vocabulary(Path file);
}
