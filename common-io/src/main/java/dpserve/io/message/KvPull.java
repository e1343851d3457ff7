package dpserve.io.message;

/**
 * Decode rank to prefill rank: KV slots are allocated, send what you compute. Repeated every second until the blocks have
 * arrived, as a sign of life; the prefill rank answers each with {@link KvRoute}, as one of its own.
 *
 * @param room bootstrap_room of the request
 * @param tokens slots allocated: the input's length; {@link #WAIT} while there is no room for them yet
 * @param replyTo the decode rank's KV endpoint, where the blocks go
 */
public record KvPull(long room, int tokens, String replyTo) implements Message {
    /** {@code tokens} of a rank that has no room yet. */
    public static final int WAIT = 0;
}
