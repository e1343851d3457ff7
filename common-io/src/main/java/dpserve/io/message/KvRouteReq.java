package dpserve.io.message;

/**
 * Decode rank to bootstrap server: which prefill rank has this room? Answered by {@link KvRoute} as soon as it is known; asked again
 * every second, so nothing depends on one frame.
 *
 * @param room bootstrap_room of the request
 * @param replyTo the asking rank's KV endpoint
 */
public record KvRouteReq(long room, String replyTo) implements Message {}
