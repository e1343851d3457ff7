package dpserve.llama;

import com.sun.jna.Memory;
import com.sun.jna.Native;
import com.sun.jna.Pointer;
import java.util.Arrays;

/**
 * One llama.cpp context: the KV of many sequences in one pool of cells, one cell a token, and the computation of any
 * number of their next tokens in one step. Which sequence runs when is the caller's business. Used by one thread.
 *
 * <p>A sequence grows at its end only. Sequences can share the cells of a common prefix ({@link #copyPrefix}), which
 * costs nothing.
 */
public final class LlamaBatchDecoder implements SequenceKv, AutoCloseable {
    /** Tokens that one matrix product computes at most: llama.cpp's own default; buffers grow with it. */
    public static final int DEFAULT_MAX_BATCH_TOKENS = 512;

    /** Share of holes among the used cells at which llama.cpp moves cells together, as its own server has it. */
    private static final float DEFRAGMENT_ABOVE = 0.1f;

    /** What {@code llama_decode} of this build returns when no run of free cells is as long as the batch. */
    private static final int NO_ROOM_IN_ONE_PIECE = -3;

    /** Each moves some dozens of runs of cells; after so many a step is rather computed in smaller pieces. */
    private static final int MAX_DEFRAGMENTATIONS = 32;

    private static final byte YES = 1;

    private final LlamaLibrary library;
    private final Pointer context;
    private final KvState state;
    private final int capacity;
    private final int maxBatchTokens;
    private final float[] logits;
    private final LlamaStructs.Batch batch = new LlamaStructs.Batch();
    private final Memory tokenMemory;
    private final Memory positionMemory;
    private final Memory sequenceMemory;
    private final Memory wantedMemory;
    private final Memory constants;

    private final int[] lengths;
    private int[] tokens = new int[64];
    private int[] positions = new int[64];
    private int[] sequences = new int[64];
    /** Per token the entry that wants its logits, or -1. */
    private int[] entries = new int[64];

    private int pending;
    private int entryCount;
    private boolean closed;

    /**
     * @param contextTokens KV cells for all sequences together; {@code maxBatchTokens} more are allocated
     * @param maxSequences sequence numbers are below this
     * @param maxBatchTokens tokens computed at once; a longer step is computed in pieces
     * @param threads CPU threads for each step
     */
    public record Options(int contextTokens, int maxSequences, int maxBatchTokens, int threads) {
        /**
         * @throws IllegalArgumentException naming the option and its limit
         */
        public Options {
            require(contextTokens >= 32, "context tokens must be at least 32");
            require(maxSequences >= 1, "max sequences must be at least 1");
            require(maxBatchTokens >= 32, "max batch tokens must be at least 32");
            require(threads >= 1, "threads must be at least 1");
        }
    }

    /**
     * @throws IllegalArgumentException if the model was loaded without weights
     * @throws LlamaException if there is not enough memory
     */
    public LlamaBatchDecoder(LlamaModel model, Options options) {
        require(model.hasWeights(), "the model was loaded without its weights");
        this.library = model.library();
        this.maxBatchTokens = options.maxBatchTokens();
        this.capacity = options.contextTokens();
        LlamaStructs.ContextParams params = library.llama_context_default_params();
        // After moving cells together this build plans a whole piece behind the used ones, and aborts the process
        // if that reaches beyond its pool: so its pool is longer by one piece than what is filled.
        params.n_ctx = capacity + maxBatchTokens;
        params.n_batch = maxBatchTokens;
        // One piece is one computation, so a piece either has room in the pool or changes nothing.
        params.n_ubatch = maxBatchTokens;
        params.n_seq_max = options.maxSequences();
        params.n_threads = options.threads();
        params.n_threads_batch = options.threads();
        params.defrag_thold = DEFRAGMENT_ABOVE;
        // Visits a sequence's own cells only: no time for the others' in the pool, and logits that hardly depend on
        // the rest of the batch, where the other kernel moved them by up to 0.2. A model that cannot do so gets the
        // other one from llama.cpp.
        params.flash_attn = YES;
        library.log().take();
        this.context = library.llama_init_from_model(model.handle(), params);
        if (context == null) {
            throw new LlamaException("cannot make a context of " + options.contextTokens() + " tokens"
                    + library.log().take());
        }
        this.state = new KvState(library, context);
        this.lengths = new int[options.maxSequences()];
        this.logits = new float[model.vocabulary().size()];
        this.tokenMemory = new Memory((long) Integer.BYTES * maxBatchTokens);
        this.positionMemory = new Memory((long) Integer.BYTES * maxBatchTokens);
        this.sequenceMemory = new Memory((long) Integer.BYTES * maxBatchTokens);
        this.wantedMemory = new Memory(maxBatchTokens);
        // Each token is in one sequence: its count is 1, its list of sequences one place of sequenceMemory.
        this.constants = new Memory((long) (Integer.BYTES + Native.POINTER_SIZE) * maxBatchTokens);
        long counts = (long) Native.POINTER_SIZE * maxBatchTokens;
        for (int i = 0; i < maxBatchTokens; i++) {
            constants.setPointer((long) Native.POINTER_SIZE * i, sequenceMemory.share((long) Integer.BYTES * i));
            constants.setInt(counts + (long) Integer.BYTES * i, 1);
        }
        batch.token = tokenMemory;
        batch.pos = positionMemory;
        batch.seq_id = constants;
        batch.n_seq_id = constants.share(counts);
        batch.logits = wantedMemory;
    }

    @Override
    public int capacity() {
        return capacity;
    }

    @Override
    public int usedCells() {
        return library.llama_kv_self_used_cells(open());
    }

    @Override
    public int length(int sequence) {
        return lengths[sequence];
    }

    @Override
    public int maxSequences() {
        return lengths.length;
    }

    @Override
    public int add(int sequence, int[] ids, int to, boolean wantLogits) {
        int from = lengths[sequence];
        require(to > from && to <= ids.length, "a step must add tokens to its sequence");
        for (int i = from; i < to; i++) {
            require(ids[i] >= 0 && ids[i] < logits.length, "token id " + ids[i] + " is outside the vocabulary");
        }
        reserve(pending + to - from);
        for (int i = from; i < to; i++) {
            tokens[pending] = ids[i];
            positions[pending] = i;
            sequences[pending] = sequence;
            entries[pending] = wantLogits && i == to - 1 ? entryCount : -1;
            pending++;
        }
        lengths[sequence] = to;
        return entryCount++;
    }

    @Override
    public int pendingTokens() {
        return pending;
    }

    @Override
    public void decode(LogitsConsumer consumer) {
        int count = pending;
        pending = 0;
        entryCount = 0;
        int free = capacity - usedCells();
        if (count > free) {
            undo(0, count);
            throw new LlamaException(
                    "a step of " + count + " tokens, but " + free + " of " + capacity + " KV cells are free");
        }
        int computed = 0;
        try {
            while (computed < count) {
                int from = computed;
                computed += decodePiece(from, Math.min(count, from + maxBatchTokens));
                deliver(from, computed, consumer);
            }
        } finally {
            undo(computed, count);
        }
    }

    /** Computes as many of these tokens as find a run of free cells; returns how many. */
    private int decodePiece(int from, int to) {
        int size = to - from;
        int defragmentations = 0;
        while (true) {
            int result = decodeOnce(from, from + size);
            if (result == 0) {
                return size;
            }
            if (result != NO_ROOM_IN_ONE_PIECE || size == 1) {
                throw new LlamaException("llama_decode of " + size + " tokens failed with " + result
                        + library.log().take());
            }
            if (defragmentations < MAX_DEFRAGMENTATIONS) {
                defragmentations++;
                library.llama_kv_self_defrag(context);
                library.llama_kv_self_update(context);
            } else {
                size = (size + 1) / 2;
            }
        }
    }

    private int decodeOnce(int from, int to) {
        int size = to - from;
        tokenMemory.write(0, tokens, from, size);
        positionMemory.write(0, positions, from, size);
        sequenceMemory.write(0, sequences, from, size);
        for (int i = 0; i < size; i++) {
            wantedMemory.setByte(i, (byte) (entries[from + i] >= 0 ? 1 : 0));
        }
        batch.n_tokens = size;
        library.log().take();
        return library.llama_decode(context, batch);
    }

    private void deliver(int from, int to, LogitsConsumer consumer) {
        for (int i = from; i < to; i++) {
            if (entries[i] >= 0) {
                Pointer row = library.llama_get_logits_ith(context, i - from);
                if (row == null) {
                    throw new LlamaException(
                            "no logits came of a step" + library.log().take());
                }
                row.read(0, logits, 0, logits.length);
                consumer.accept(entries[i], logits);
            }
        }
    }

    /** These tokens were not computed: their sequences end before them. */
    private void undo(int from, int to) {
        for (int i = to - 1; i >= from; i--) {
            lengths[sequences[i]] = positions[i];
        }
    }

    @Override
    public void truncate(int sequence, int length) {
        require(pending == 0, "no sequence may change between add and decode");
        require(length >= 0, "a length must not be negative");
        if (length < lengths[sequence]) {
            if (library.llama_kv_self_seq_rm(open(), sequence, length, -1) != YES) {
                throw new LlamaException("this model's KV cannot be cut at " + length);
            }
            lengths[sequence] = length;
        }
    }

    @Override
    public void copyPrefix(int source, int target, int length) {
        require(pending == 0, "no sequence may change between add and decode");
        require(source != target && length <= lengths[source], "no such prefix to copy");
        if (lengths[target] > 0) {
            library.llama_kv_self_seq_rm(open(), target, 0, Math.min(length, lengths[target]));
        }
        library.llama_kv_self_seq_cp(open(), source, target, 0, length);
        lengths[target] = Math.max(length, lengths[target]);
    }

    @Override
    public long stateBytes(int sequence) {
        require(pending == 0, "no sequence may change between add and decode");
        open();
        return state.size(sequence);
    }

    @Override
    public byte[] exportState(int sequence) {
        require(pending == 0, "no sequence may change between add and decode");
        open();
        return state.read(sequence);
    }

    @Override
    public boolean importState(int sequence, int length, byte[] bytes) {
        require(pending == 0, "no sequence may change between add and decode");
        require(lengths[sequence] == 0, "only an empty sequence takes KV");
        open();
        if (!KvState.isOf(bytes, length)) {
            throw new LlamaException("these bytes are not the KV of " + length + " tokens");
        }
        boolean written = state.write(sequence, bytes);
        if (!written) {
            library.llama_kv_self_defrag(context);
            library.llama_kv_self_update(context);
            written = state.write(sequence, bytes);
        }
        lengths[sequence] = written ? length : 0;
        return written;
    }

    private void reserve(int size) {
        if (size > tokens.length) {
            int room = Math.max(size, 2 * tokens.length);
            tokens = Arrays.copyOf(tokens, room);
            positions = Arrays.copyOf(positions, room);
            sequences = Arrays.copyOf(sequences, room);
            entries = Arrays.copyOf(entries, room);
        }
    }

    private Pointer open() {
        if (closed) {
            throw new IllegalStateException("the decoder is closed");
        }
        return context;
    }

    private static void require(boolean condition, String message) {
        if (!condition) {
            throw new IllegalArgumentException(message);
        }
    }

    @Override
    public void close() {
        if (!closed) {
            closed = true;
            library.llama_free(context);
        }
    }
}
