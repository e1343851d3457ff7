package dpserve.io;

import java.nio.file.Files;
import java.nio.file.Path;
import picocli.CommandLine.Option;

/** Which model is served: flags of every process that knows tokens. */
public final class ModelArgs {
    /** The engine of this project: modelled step times, tokens that any client can compute. */
    public static final String SIMULATED = "simulated";

    /** llama.cpp on the CPU, the optional module {@code llama}. */
    public static final String LLAMA = "llama";

    @Option(
            names = "--engine",
            defaultValue = SIMULATED,
            paramLabel = "simulated|llama",
            description = "What computes: simulated, or llama for a GGUF model on the CPU (default: ${DEFAULT-VALUE}).")
    private String engine;

    /** Hugging Face's tokenizer.json, the optional module {@code huggingface}. */
    public static final String HUGGING_FACE = "huggingface";

    @Option(
            names = "--tokenizer-path",
            paramLabel = "PATH",
            description =
                    "tokenizer.json of Hugging Face, or the folder that holds it: the vocabulary (default: that of"
                            + " --model-path, or the embedded cl100k_base).")
    private Path tokenizerPath;

    @Option(names = "--model-path", paramLabel = "FILE", description = "GGUF file of the model, for --engine llama.")
    private Path modelPath;

    /**
     * The engine's name.
     *
     * @throws IllegalArgumentException naming the flag, if there is no such engine
     */
    public String engine() {
        if (!engine.equals(SIMULATED) && !engine.equals(LLAMA)) {
            throw new IllegalArgumentException("--engine must be simulated or llama, not " + engine);
        }
        return engine;
    }

    /** Whether a real model computes. */
    public boolean isReal() {
        return !engine().equals(SIMULATED);
    }

    /**
     * The model's file.
     *
     * @throws IllegalArgumentException naming the flag, if it is not given or cannot be read
     */
    public Path modelPath() {
        if (modelPath == null) {
            throw new IllegalArgumentException("--engine " + engine + " needs --model-path");
        }
        return readable("--model-path", modelPath);
    }

    /**
     * The tokenizer.json that is to be used instead of the model's own vocabulary; null if none is given.
     *
     * @throws IllegalArgumentException naming the flag, if it cannot be read
     */
    public Path tokenizerPath() {
        if (tokenizerPath == null) {
            return null;
        }
        boolean folder = Files.isDirectory(tokenizerPath);
        return readable("--tokenizer-path", folder ? tokenizerPath.resolve("tokenizer.json") : tokenizerPath);
    }

    /** The value of {@code --model-path} as it is, or null. */
    public Path givenModelPath() {
        return modelPath;
    }

    /** The value of {@code --tokenizer-path} as it is, or null. */
    public Path givenTokenizerPath() {
        return tokenizerPath;
    }

    /**
     * Checks that a file is there.
     *
     * @throws IllegalArgumentException naming the flag, if it cannot be read
     */
    public static Path readable(String flag, Path file) {
        if (!Files.isReadable(file) || Files.isDirectory(file)) {
            throw new IllegalArgumentException(flag + ": cannot read " + file);
        }
        return file;
    }
}
