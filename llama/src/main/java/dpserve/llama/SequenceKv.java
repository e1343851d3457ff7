package dpserve.llama;

/** The KV of numbered sequences in one pool of cells, and the steps that extend them. */
interface SequenceKv {
    /** Cells of the pool. */
    int capacity();

    /** Cells in use; one that several sequences share counts once. */
    int usedCells();

    /** Sequence numbers are below this. */
    int maxSequences();

    /** Tokens of the sequence so far, those that were added but not yet decoded included. */
    int length(int sequence);

    /**
     * Puts {@code ids} from the sequence's length up to {@code to} into the next step.
     *
     * @return the number of this entry within the step, from 0
     * @throws IllegalArgumentException if an id is outside the vocabulary, or nothing is added
     */
    int add(int sequence, int[] ids, int to, boolean wantLogits);

    /** Tokens of the next step so far. */
    int pendingTokens();

    /**
     * Computes the step, entry by entry as they were added, and hands out the logits that were wanted.
     *
     * @throws LlamaException if the pool has too few free cells; the tokens not computed are taken back, those computed
     *     before stay
     */
    void decode(LogitsConsumer consumer);

    /** Shortens a sequence; 0 frees it. Not between add and decode. */
    void truncate(int sequence, int length);

    /**
     * Lets {@code target} share the first {@code length} cells of {@code source}, in place of its own first ones if it has
     * any; the tokens must be the same. Not between add and decode.
     */
    void copyPrefix(int source, int target, int length);

    /** Size of the sequence's KV as bytes. Not between add and decode, nor are the two below. */
    long stateBytes(int sequence);

    /** The sequence's KV, for another pool of the same model. */
    byte[] exportState(int sequence);

    /**
     * Gives an empty sequence the KV that {@link #exportState} gave elsewhere.
     *
     * @return false if there is no run of free cells as long: the sequence is as empty as before
     * @throws LlamaException if it is not KV of so many tokens
     */
    boolean importState(int sequence, int length, byte[] state);
}
