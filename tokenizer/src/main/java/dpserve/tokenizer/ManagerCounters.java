package dpserve.tokenizer;

/** What the manager counts; the process turns it into metrics. Who counts only some of it leaves the others out. */
public interface ManagerCounters {
    /** A sequence was accepted. */
    default void accepted(SequenceSpec spec) {}

    /** New tokens of a sequence have arrived; its token times are still those of the tokens before. */
    default void tokens(SequenceState state, int newTokens, long nowNs) {}

    /** A sequence has ended. */
    default void ended(SequenceState state, long nowNs) {}

    /** Output for a wire rid that is not, or no longer, known. */
    void unknownRid();

    /** Output that does not join what is held. */
    default void gap() {}

    /** A sequence was sent again after its attempt was lost. */
    void resumed();
}
