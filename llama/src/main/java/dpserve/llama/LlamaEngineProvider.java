package dpserve.llama;

import dpserve.io.model.EngineProvider;
import dpserve.io.model.StepModel;
import java.nio.file.Path;

/** {@code --engine llama}: GGUF models on the CPU. */
public final class LlamaEngineProvider implements EngineProvider {
    static final String NAME = "llama";

    @Override
    public String name() {
        return NAME;
    }

    @Override
    public StepModel engine(Path model, StepModel.Options options) {
        try {
            return new LlamaEngine(LlamaModel.load(LlamaLibrary.open(), model), options);
        } catch (LlamaException e) {
            throw new IllegalArgumentException(e.getMessage(), e);
        }
    }
}
