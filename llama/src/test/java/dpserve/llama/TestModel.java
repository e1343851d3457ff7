package dpserve.llama;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Files;
import java.nio.file.Path;

/** The library, and the model file that scripts/dev/test-llama.sh fetches; tests that need it are skipped without. */
final class TestModel {
    private static final String NAME = "DPSERVE_TEST_GGUF";

    private TestModel() {}

    /** Loaded once for all tests. */
    private static final class Loaded {
        static final LlamaLibrary LIBRARY = LlamaLibrary.open();
    }

    private static final class LoadedModel {
        static final LlamaModel MODEL = LlamaModel.load(library(), path());
    }

    static LlamaLibrary library() {
        return Loaded.LIBRARY;
    }

    /** Where the model lies. Skips the test if that is not known. */
    static Path path() {
        String name = System.getProperty(NAME, System.getenv(NAME));
        boolean there = name != null && Files.isRegularFile(Path.of(name));
        String reason = name == null ? NAME + " is not set" : name + " does not exist";
        if (!there) {
            print("skipped, " + reason + "; scripts/dev/test-llama.sh fetches a model");
        }
        assumeTrue(there, reason);
        return Path.of(name);
    }

    static LlamaModel model() {
        path();
        return LoadedModel.MODEL;
    }

    static LlamaBatchDecoder decoder(int contextTokens, int sequences) {
        return new LlamaBatchDecoder(model(), new LlamaBatchDecoder.Options(contextTokens, sequences, 128, 1));
    }

    /** What a run is asked for its figures; test-llama.sh shows these lines. */
    static void print(String line) {
        System.out.println("llama: " + line);
    }
}
