package dpserve.io.model;

import java.nio.file.Path;

/** Reads vocabularies from one kind of file. An optional module offers it under META-INF/services. */
public interface VocabularyProvider {
    /** What {@link Providers#vocabulary} finds it by. */
    String name();

    /**
     * Reads the vocabulary.
     *
     * @param chatTemplate a Jinja template to use instead of the vocabulary's own; null for that one
     * @throws RuntimeException naming the file, if it is not one of this kind, or this kind takes no template
     */
    Vocabulary vocabulary(Path file, Path chatTemplate);
}
