package dpserve.llama;

import com.sun.jna.Function;
import com.sun.jna.Memory;
import com.sun.jna.Pointer;
import java.util.ArrayList;
import java.util.List;

/**
 * llama.cpp driven in the plainest way, for comparison: a context with all its defaults but one for one sequence, its own
 * batches and its own greedy sampler. The one is flash attention, which the engine uses: the two attention kernels give
 * logits that differ by more than 1, and the default one differs from itself as much when it computes other sequences in
 * the same batch (docs/llama.md has the figures).
 */
final class PlainLlama {
    private final LlamaModel model;

    PlainLlama(LlamaModel model) {
        this.model = model;
    }

    /** Greedy output for a prompt, up to a token that ends generation, which it includes. */
    int[] generate(int[] prompt, int maxTokens) {
        LlamaLibrary library = model.library();
        LlamaStructs.ContextParams params = library.llama_context_default_params();
        params.flash_attn = 1;
        params.n_threads = 1;
        params.n_threads_batch = 1;
        Pointer context = library.llama_init_from_model(model.handle(), params);
        Pointer sampler = function("llama_sampler_init_greedy").invokePointer(new Object[0]);
        List<Integer> output = new ArrayList<>();
        try (Memory tokens = new Memory((long) Integer.BYTES * prompt.length)) {
            tokens.write(0, prompt, 0, prompt.length);
            int count = prompt.length;
            while (output.size() < maxTokens) {
                Object batch =
                        function("llama_batch_get_one").invoke(LlamaStructs.Batch.class, new Object[] {tokens, count});
                int result = library.llama_decode(context, (LlamaStructs.Batch) batch);
                if (result != 0) {
                    throw new IllegalStateException("llama_decode: " + result);
                }
                int token = function("llama_sampler_sample").invokeInt(new Object[] {sampler, context, -1});
                output.add(token);
                if (model.vocabulary().isEndOfGeneration(token)) {
                    break;
                }
                tokens.setInt(0, token);
                count = 1;
            }
        } finally {
            function("llama_sampler_free").invokeVoid(new Object[] {sampler});
            library.llama_free(context);
        }
        return output.stream().mapToInt(Integer::intValue).toArray();
    }

    private Function function(String name) {
        return model.library().nativeLibrary().getFunction(name);
    }
}
