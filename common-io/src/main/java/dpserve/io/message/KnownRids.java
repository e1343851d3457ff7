package dpserve.io.message;

/**
 * Controller to each tokenizer worker, once a restarted controller knows what the ranks hold: these attempts of that worker
 * are under way or wait here. What the worker sent to an earlier epoch and is not among them is lost.
 *
 * @param epoch the controller's
 * @param rids the receiving worker's wire rids
 */
public record KnownRids(long epoch, String[] rids) implements Message {}
