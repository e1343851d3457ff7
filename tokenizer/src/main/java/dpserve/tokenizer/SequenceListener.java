package dpserve.tokenizer;

/**
 * Hears of one sequence. Called on the manager's thread, after the end notice of a finished sequence was handed to the
 * socket: a request that the client sends because of this output finds the end counted.
 */
public interface SequenceListener {
    /**
     * There is new output, or the sequence has ended, or both.
     *
     * @param state all that is known; {@code state.finishReason()} is not null exactly once, in the last call
     * @param newText what was added since the call before
     */
    void onOutput(SequenceState state, String newText);
}
