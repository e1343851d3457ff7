package dpserve.io.message;

/**
 * One half of a pair to the other: nothing comes of this room.
 *
 * @param room bootstrap_room of the request
 * @param reason in words for the client
 */
public record KvFailed(long room, String reason) implements Message {}
