package dpserve.io.message;

/**
 * Controller to each tokenizer worker, once a restarted controller knows what the ranks hold, and to a worker that asked
 * ({@link Hello#SENT}): these attempts of that worker are under way or wait here. What the worker sent to an earlier epoch, or
 * before it asked, and is not among them is lost.
 *
 * @param epoch the controller's
 * @param rids the receiving worker's wire rids
 * @param sent the number of the question; 0 if nobody asked
 */
public record KnownRids(long epoch, String[] rids, long sent) implements Message {}
