package dpserve.tokenizer;

/** What becomes of a running request whose rank died: {@code --on-rank-failure}. */
public enum OnRankFailure {
    /** Another rank goes on where it stood; the client sees a pause. */
    RESUME,
    /** It ends with 503. */
    FAIL
}
