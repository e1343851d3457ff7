package dpserve.llama;

import com.sun.jna.Callback;
import com.sun.jna.Library;
import com.sun.jna.Native;
import com.sun.jna.NativeLibrary;
import com.sun.jna.Platform;
import com.sun.jna.Pointer;
import java.util.Map;

/**
 * The functions of llama.cpp's C API that this project calls, under their C names, bound by JNA's direct mapping. Open it
 * once per process: the bindings belong to this class, and a second copy of the library in one process corrupts its
 * heap. A C
 * {@code bool} is a byte here, because JNA's boolean has four; texts are UTF-8 bytes, with a final NUL where no length
 * goes with them.
 */
public final class LlamaLibrary {
    private static final int DO_NOT_OVERWRITE = 0;

    /** Kept reachable: native code calls it as long as the process lives. */
    private final LlamaLog log = new LlamaLog();

    private final NativeLibrary library;

    private LlamaLibrary(NativeLibrary library) {
        this.library = library;
    }

    /**
     * Loads the library and starts its backend.
     *
     * @throws LlamaException if there is none for this platform, it does not load, or it is another build
     */
    public static synchronized LlamaLibrary open() {
        letThreadsSleep();
        LlamaLibrary library = new LlamaLibrary(load());
        Native.register(LlamaLibrary.class, library.library);
        library.llama_log_set(library.log, null);
        LlamaStructs.check(library.llama_model_default_params(), library.llama_context_default_params());
        library.llama_backend_init();
        return library;
    }

    private static NativeLibrary load() {
        try (NativeLibraryFile file = NativeLibraryFile.extract()) {
            return NativeLibrary.getInstance(file.path().toString(), Map.of(Library.OPTION_STRING_ENCODING, "UTF-8"));
        } catch (UnsatisfiedLinkError e) {
            throw new LlamaException(
                    "cannot load llama.cpp (it needs libgomp.so.1, Debian's libgomp1): " + e.getMessage(), e);
        }
    }

    /**
     * Threads of one computation wait for each other asleep, unless the user's environment says otherwise. By default they
     * spin, which on a machine with more to do than cores made a step over ten times slower. OpenMP reads this once, when
     * it is loaded, so it cannot be set later.
     */
    private static void letThreadsSleep() {
        if (!Platform.isWindows()) {
            NativeLibrary.getProcess()
                    .getFunction("setenv")
                    .invokeInt(new Object[] {"OMP_WAIT_POLICY", "passive", DO_NOT_OVERWRITE});
        }
    }

    /** The instruction sets it was built for and found, as llama.cpp prints them. */
    public String systemInfo() {
        return llama_print_system_info().strip();
    }

    /** The library itself, for functions that are not bound here. */
    NativeLibrary nativeLibrary() {
        return library;
    }

    LlamaLog log() {
        return log;
    }

    /** {@code ggml_log_callback}. */
    interface LogCallback extends Callback {
        void invoke(int level, Pointer text, Pointer userData);
    }

    native void llama_log_set(LogCallback callback, Pointer userData);

    native void llama_backend_init();

    native String llama_print_system_info();

    native LlamaStructs.ModelParams llama_model_default_params();

    native LlamaStructs.ContextParams llama_context_default_params();

    native Pointer llama_model_load_from_file(byte[] path, LlamaStructs.ModelParams params);

    native void llama_model_free(Pointer model);

    native Pointer llama_model_get_vocab(Pointer model);

    native int llama_model_n_ctx_train(Pointer model);

    native Pointer llama_model_chat_template(Pointer model, Pointer name);

    native int llama_model_desc(Pointer model, byte[] buffer, long size);

    native int llama_vocab_n_tokens(Pointer vocab);

    native int llama_vocab_eos(Pointer vocab);

    native int llama_vocab_get_attr(Pointer vocab, int token);

    native byte llama_vocab_is_eog(Pointer vocab, int token);

    native int llama_token_to_piece(Pointer vocab, int token, byte[] buffer, int length, int lstrip, byte special);

    native int llama_tokenize(
            Pointer vocab,
            byte[] text,
            int textLength,
            int[] tokens,
            int maxTokens,
            byte addSpecial,
            byte parseSpecial);

    /** {@code messages}: for each two C strings, role and content. */
    native int llama_chat_apply_template(
            byte[] template, Pointer messages, long count, byte addAssistant, byte[] buffer, int length);

    native Pointer llama_init_from_model(Pointer model, LlamaStructs.ContextParams params);

    native void llama_free(Pointer context);

    native int llama_decode(Pointer context, LlamaStructs.Batch batch);

    native Pointer llama_get_logits_ith(Pointer context, int row);

    native int llama_kv_self_used_cells(Pointer context);

    native byte llama_kv_self_seq_rm(Pointer context, int sequence, int from, int to);

    native void llama_kv_self_seq_cp(Pointer context, int source, int target, int from, int to);

    native long llama_state_seq_get_size(Pointer context, int sequence);

    native long llama_state_seq_get_data(Pointer context, byte[] bytes, long size, int sequence);

    native long llama_state_seq_set_data(Pointer context, byte[] bytes, long size, int sequence);

    native void llama_kv_self_defrag(Pointer context);

    native void llama_kv_self_update(Pointer context);
}
