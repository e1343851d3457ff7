package dpserve.llama;

import com.sun.jna.Pointer;
import com.sun.jna.Structure;
import com.sun.jna.Structure.FieldOrder;

/**
 * The structs that llama.cpp takes and returns by value, as release b4916 (March 2025) lays them out: that is what
 * de.kherud:llama 4.2.0 was built from. {@link #check} compares them with the library's own defaults, so another build
 * is refused instead of misread. A C {@code bool} is one byte. Public only because JNA must reach the fields.
 */
final class LlamaStructs {
    private LlamaStructs() {}

    /** {@code llama_model_params}, 64 bytes. */
    @FieldOrder({
        "devices",
        "n_gpu_layers",
        "split_mode",
        "main_gpu",
        "tensor_split",
        "progress_callback",
        "progress_callback_user_data",
        "kv_overrides",
        "vocab_only",
        "use_mmap",
        "use_mlock",
        "check_tensors"
    })
    public static final class ModelParams extends Structure implements Structure.ByValue {
        public Pointer devices;
        public int n_gpu_layers;
        public int split_mode;
        public int main_gpu;
        public Pointer tensor_split;
        public Pointer progress_callback;
        public Pointer progress_callback_user_data;
        public Pointer kv_overrides;
        public byte vocab_only;
        public byte use_mmap;
        public byte use_mlock;
        public byte check_tensors;
    }

    /** {@code llama_context_params}, 120 bytes. */
    @FieldOrder({
        "n_ctx",
        "n_batch",
        "n_ubatch",
        "n_seq_max",
        "n_threads",
        "n_threads_batch",
        "rope_scaling_type",
        "pooling_type",
        "attention_type",
        "rope_freq_base",
        "rope_freq_scale",
        "yarn_ext_factor",
        "yarn_attn_factor",
        "yarn_beta_fast",
        "yarn_beta_slow",
        "yarn_orig_ctx",
        "defrag_thold",
        "cb_eval",
        "cb_eval_user_data",
        "type_k",
        "type_v",
        "logits_all",
        "embeddings",
        "offload_kqv",
        "flash_attn",
        "no_perf",
        "abort_callback",
        "abort_callback_data"
    })
    public static final class ContextParams extends Structure implements Structure.ByValue {
        public int n_ctx;
        public int n_batch;
        public int n_ubatch;
        public int n_seq_max;
        public int n_threads;
        public int n_threads_batch;
        public int rope_scaling_type;
        public int pooling_type;
        public int attention_type;
        public float rope_freq_base;
        public float rope_freq_scale;
        public float yarn_ext_factor;
        public float yarn_attn_factor;
        public float yarn_beta_fast;
        public float yarn_beta_slow;
        public int yarn_orig_ctx;
        public float defrag_thold;
        public Pointer cb_eval;
        public Pointer cb_eval_user_data;
        public int type_k;
        public int type_v;
        public byte logits_all;
        public byte embeddings;
        public byte offload_kqv;
        public byte flash_attn;
        public byte no_perf;
        public Pointer abort_callback;
        public Pointer abort_callback_data;
    }

    /** {@code llama_batch}, 56 bytes. */
    @FieldOrder({"n_tokens", "token", "embd", "pos", "n_seq_id", "seq_id", "logits"})
    public static final class Batch extends Structure implements Structure.ByValue {
        public int n_tokens;
        public Pointer token;
        public Pointer embd;
        public Pointer pos;
        public Pointer n_seq_id;
        public Pointer seq_id;
        public Pointer logits;
    }

    /**
     * @throws LlamaException if the library's defaults do not stand where these layouts look for them
     */
    static void check(ModelParams model, ContextParams context) {
        boolean modelFits = model.devices == null
                && model.split_mode == 1
                && model.main_gpu == 0
                && model.kv_overrides == null
                && model.vocab_only == 0
                && model.use_mmap == 1
                && model.use_mlock == 0
                && model.check_tensors == 0;
        boolean contextFits = context.n_ctx == 512
                && context.n_batch == 2048
                && context.n_ubatch == 512
                && context.n_seq_max == 1
                && context.attention_type == -1
                && context.yarn_ext_factor == -1f
                && context.yarn_beta_fast == 32f
                && context.defrag_thold == -1f
                && context.cb_eval == null
                && context.type_k == 1
                && context.type_v == 1
                && context.logits_all == 0
                && context.offload_kqv == 1
                && context.flash_attn == 0
                && context.no_perf == 1
                && context.abort_callback == null;
        if (!modelFits || !contextFits) {
            throw new LlamaException("the llama.cpp library is not the build this code was written for (b4916, in"
                    + " de.kherud:llama:4.2.0): its " + (modelFits ? "context" : "model") + " parameters differ");
        }
    }
}
