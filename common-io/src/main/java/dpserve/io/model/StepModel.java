package dpserve.io.model;

import dpserve.io.message.SamplingParams;
import java.util.List;

/**
 * A model that computes the next tokens of many sequences together, step by step; which sequence runs when is the
 * scheduler's business. A sequence is named by its slot: it begins with the first entry for that slot and ends with
 * {@link #release}. Used by one thread.
 */
public interface StepModel extends AutoCloseable {
    /**
     * What to make room for.
     *
     * @param kvTokens tokens whose KV is kept, over all sequences; a prefix that several share counts once
     * @param slots sequences at one time; slots are below this
     * @param threads CPU threads of a step
     * @param keepPrefixes whether KV of ended sequences is kept for others with the same prefix while there is room
     */
    record Options(int kvTokens, int slots, int threads, boolean keepPrefixes) {}

    /**
     * One sequence's part of a step.
     *
     * @param namespace sequences share prefixes only within one, "" for the common one
     * @param ids prompt and output so far; only the first {@code length} count. Shared: never changed
     * @param length after the step the sequence has KV for this many tokens
     * @param promptLength where the output begins, also that of earlier attempts
     * @param wantToken whether {@code length} is the sequence's end, so that the step chooses its next token
     * @param mayEnd whether that token may be one that ends a text
     * @param seed of the request; with the same seed, ids and parameters the choice is the same
     * @param topLogprobs how many of the most likely tokens to report, or {@link NextToken#NO_LOGPROBS}
     */
    record Entry(
            int slot,
            String namespace,
            int[] ids,
            int length,
            int promptLength,
            boolean wantToken,
            SamplingParams params,
            boolean mayEnd,
            long seed,
            int topLogprobs) {}

    /**
     * Computes a step.
     *
     * @return for each entry its next token, null where none was wanted
     * @throws RuntimeException if the sequences do not fit {@code kvTokens}, or the computation failed; the model is of no
     *     further use then
     */
    NextToken[] run(List<Entry> step);

    /** The sequence in this slot has ended or is to lose its KV; nothing if there is none. */
    void release(int slot);

    /** Size of the KV of so many tokens as {@link #exportKv} gives it, bytes. */
    long kvBytes(int tokens);

    /**
     * A sequence's KV as bytes, for another instance of the same model.
     *
     * @param tokens how many tokens the sequence has KV for
     */
    byte[] exportKv(int slot, int tokens);

    /**
     * Begins a sequence with KV that another instance computed. Where there is no room for it in one piece the sequence begins
     * empty, and its first step computes what is missing.
     *
     * @param kv what {@link #exportKv} gave
     * @return false if it cannot be KV of so many tokens of this model; the sequence begins empty then
     */
    boolean importKv(int slot, String namespace, int[] ids, int tokens, byte[] kv);

    /** Forgets the KV of all ended sequences. */
    void flush();

    /** Number of token ids. */
    int vocabularySize();

    /** Tokens the model was trained to look back on. */
    int contextLength();

    /** The bytes a token stands for; empty for special tokens. Shared: never change it. */
    byte[] tokenBytes(int tokenId);

    /** Whether the token ends a text. */
    boolean isEos(int tokenId);

    /** The model in words, for a log. */
    String description();

    @Override
    void close();
}
