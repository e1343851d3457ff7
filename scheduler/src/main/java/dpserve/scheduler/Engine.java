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

    /** Number of token ids; input with others is refused. */
    default int vocabularySize() {
        return Integer.MAX_VALUE;
    }

    /** The bytes a token stands for; empty for special tokens. Shared: never change it. */
    byte[] tokenBytes(int tokenId);

    /** Whether the token ends a text. */
    boolean isEos(int tokenId);
}
