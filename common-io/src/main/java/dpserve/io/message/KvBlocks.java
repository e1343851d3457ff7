package dpserve.io.message;

/**
 * Prefill rank to decode rank: KV of a range of tokens. The pieces of a room come in order; all of them come again if the
 * {@link KvReceived} stays away.
 *
 * @param room bootstrap_room of the request
 * @param replyTo the prefill rank's KV endpoint, where the acknowledgement goes
 * @param from first token of the piece
 * @param to end of the piece, above {@code from}
 * @param bytes {@code to - from} times the bytes per token
 * @param firstToken in the last piece the output token that the prefill made; {@link #NOT_LAST} before
 * @param cachedTokens tokens of the prompt that the prefill rank had cached
 */
public record KvBlocks(long room, String replyTo, int from, int to, byte[] bytes, int firstToken, int cachedTokens)
        implements Message {
    /** {@code firstToken} of a piece that others follow. */
    public static final int NOT_LAST = -1;
}
