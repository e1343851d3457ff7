package dpserve.tokenizer;

/** Why nothing more comes of an attempt. */
enum Loss {
    /** Its rank is gone; the controller has ended it. */
    RANK_DIED,
    /** No rank and no controller has it. */
    NOWHERE,
    /** Its rank goes on, but output was lost on the way here: it is to be aborted and ended. */
    OUTPUT
}
