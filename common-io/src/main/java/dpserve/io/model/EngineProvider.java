package dpserve.io.model;

import java.nio.file.Path;

/** Loads models of one kind of file. An optional module offers it under META-INF/services. */
public interface EngineProvider {
    /** The value of {@code --engine}. */
    String name();

    /**
     * Loads the model.
     *
     * @throws RuntimeException naming the file, if it cannot be loaded or memory does not suffice
     */
    StepModel engine(Path model, StepModel.Options options);
}
