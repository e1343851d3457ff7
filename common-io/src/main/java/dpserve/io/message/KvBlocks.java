package dpserve.io.message;

/**
 * Prefill rank to decode rank: a piece of a request's KV. The pieces of a room come in order; all of them come again if the
 * {@link KvReceived} stays away.
 *
 * @param room bootstrap_room of the request
 * @param replyTo the prefill rank's KV endpoint, where the acknowledgement goes
 * @param from where the piece begins in the KV, bytes
 * @param total size of the KV, bytes
 * @param bytes the piece, not empty
 * @param first in the last piece what the prefill made of the prompt; null before
 * @param cachedTokens tokens of the prompt that the prefill rank had cached
 */
public record KvBlocks(long room, String replyTo, int from, int total, byte[] bytes, First first, int cachedTokens)
        implements Message {
    /**
     * The first token of the output.
     *
     * @param logprob its log probability, or null
     * @param topIds the most likely tokens, as many as were asked for
     * @param topLogprobs theirs
     */
    public record First(int token, Double logprob, int[] topIds, double[] topLogprobs) {}
}
