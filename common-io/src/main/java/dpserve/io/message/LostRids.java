package dpserve.io.message;

/**
 * Controller to the owning tokenizer worker: these attempts were sent to a rank that holds them no more, and no end of them
 * came. The controller has ended them.
 *
 * @param rids the receiving worker's wire rids
 */
public record LostRids(int dpRank, String[] rids) implements Message {}
