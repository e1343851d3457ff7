package dpserve.io.message;

/**
 * Decode rank to prefill rank: all KV of a room is here, or is wanted no more; the sender may forget it.
 *
 * @param room bootstrap_room of the request
 */
public record KvReceived(long room) implements Message {}
