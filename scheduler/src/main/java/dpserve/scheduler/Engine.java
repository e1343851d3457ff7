package dpserve.scheduler;

/**
 * Runs one prefill or decode step, and knows its model's tokens. Called by one thread. A sequence is named by
 * {@link Request#slot}: it begins with a prefill, is continued by decodes or further chunks, and ends with
 * {@link #release}, after which the slot may name another. A retracted request comes back as a new prefill of its
 * prompt and the output it had.
 */
public interface Engine {
    /** In a {@link StepResult}, where there is no next token. */
    int NO_TOKEN = -1;

    /** Runs one step. The batch and its requests are only read. */
    StepResult run(Batch batch);

    /** The sequence in this slot has ended or lost its KV. */
    void release(int slot);

    /** No KV of ended sequences is to be used any more. */
    default void flush() {}

    /** What a token's KV weighs on the device, bytes; on a modelled device it has nothing to do with {@link #kvBytes}. */
    int kvBytesPerToken();

    /** Size of the KV of so many tokens as {@link #exportKv} gives it, bytes. */
    long kvBytes(int tokens);

    /** The KV of a running request's first tokens, for another rank; it has KV for exactly these. */
    byte[] exportKv(Request r, int tokens);

    /**
     * A request goes on in its slot, which is new, as if its first tokens had been computed there.
     *
     * @param kv what {@link #exportKv} gave on another rank, {@link #kvBytes} long
     * @return false if it is not the KV of these tokens; the slot has none then
     */
    boolean importKv(Request r, int tokens, byte[] kv);

    /** Number of token ids; input with others is refused. */
    default int vocabularySize() {
        return Integer.MAX_VALUE;
    }

    /** The bytes a token stands for; empty for special tokens. Shared: never change it. */
    byte[] tokenBytes(int tokenId);

    /** Whether the token ends a text. */
    boolean isEos(int tokenId);
}
