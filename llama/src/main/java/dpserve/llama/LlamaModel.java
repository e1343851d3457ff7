package dpserve.llama;

import com.sun.jna.Pointer;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;

/**
 * A GGUF file: its vocabulary and, unless only that was asked for, its weights, mapped into memory, so that the
 * processes of one machine share them. Several contexts can use one model. Close it after all of them, and never while
 * another thread still uses its vocabulary.
 */
public final class LlamaModel implements AutoCloseable {
    private static final byte[] MAGIC = {'G', 'G', 'U', 'F'};
    private static final int MAX_DESCRIPTION = 256;

    private final LlamaLibrary library;
    private final Path path;
    private final boolean hasWeights;
    private final LlamaVocabulary vocabulary;
    private Pointer handle;

    private LlamaModel(LlamaLibrary library, Path path, boolean hasWeights, Pointer handle) {
        this.library = library;
        this.path = path;
        this.hasWeights = hasWeights;
        this.handle = handle;
        this.vocabulary = new LlamaVocabulary(library, this);
    }

    /**
     * Loads vocabulary and weights.
     *
     * @throws LlamaException naming the file, if it cannot be read or is no model that this build knows
     */
    public static LlamaModel load(LlamaLibrary library, Path path) {
        return load(library, path, true);
    }

    /**
     * Loads the vocabulary alone, in a fraction of the time and memory.
     *
     * @throws LlamaException as {@link #load(LlamaLibrary, Path)}
     */
    public static LlamaModel loadVocabulary(LlamaLibrary library, Path path) {
        return load(library, path, false);
    }

    private static LlamaModel load(LlamaLibrary library, Path path, boolean weights) {
        try (InputStream in = Files.newInputStream(path)) {
            if (!Arrays.equals(in.readNBytes(MAGIC.length), MAGIC)) {
                throw new LlamaException(path + " is not a GGUF file");
            }
        } catch (IOException e) {
            throw new LlamaException("cannot read the model file " + path, e);
        }
        LlamaStructs.ModelParams params = library.llama_model_default_params();
        params.vocab_only = (byte) (weights ? 0 : 1);
        library.log().take();
        byte[] name = (path + "\0").getBytes(StandardCharsets.UTF_8);
        Pointer handle = library.llama_model_load_from_file(name, params);
        if (handle == null) {
            throw new LlamaException(
                    "cannot load the model " + path + library.log().take());
        }
        return new LlamaModel(library, path, weights, handle);
    }

    /** Valid until {@link #close}. */
    public LlamaVocabulary vocabulary() {
        return vocabulary;
    }

    /** Tokens the model was trained to look back on: longer sequences give poor text. */
    public int contextLength() {
        return library.llama_model_n_ctx_train(handle());
    }

    /** Architecture, size and quantization in llama.cpp's words. */
    public String description() {
        byte[] buffer = new byte[MAX_DESCRIPTION];
        int length = library.llama_model_desc(handle(), buffer, buffer.length);
        return new String(buffer, 0, Math.min(length, buffer.length - 1), StandardCharsets.UTF_8);
    }

    /** Whether sequences can be computed; false for a vocabulary alone. */
    public boolean hasWeights() {
        return hasWeights;
    }

    LlamaLibrary library() {
        return library;
    }

    Pointer handle() {
        if (handle == null) {
            throw new IllegalStateException("the model is closed: " + path);
        }
        return handle;
    }

    @Override
    public void close() {
        if (handle != null) {
            library.llama_model_free(handle);
            handle = null;
        }
    }
}
