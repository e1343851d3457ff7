package dpserve.io.message;

/**
 * Tokenizer worker to controller, in the request stream: these attempts have ended. Ending an unknown rid does nothing.
 *
 * @param rids wire rids; one notice per output batch
 */
public record EndNotice(String[] rids) implements Message {}
