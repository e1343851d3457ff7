package dpserve.controller.policy;

/**
 * What the controller reads from a request's bytes: enough to route it, account for it and refuse it.
 *
 * @param rid wire rid; a plain rid, or null, from a legacy stream
 * @param httpWorkerIpc PULL endpoint of the owning tokenizer worker, or null
 * @param promptTokens length of input_ids
 * @param routedDpRank the rank the client asked for, or {@link #NO_RANK}
 * @param bootstrapRoom PD disaggregation's room, or {@link #NO_ROOM}
 * @param routingKey session key for affinity policies, or null
 * @param prefixHashes hashes of the prompt up to each block boundary, shortest first; empty unless the policy wants
 *     them; shared, never changed
 * @param dispatchTimeAtEnd whether the message ends in the extension element with a dispatch_time, so that the
 *     controller may write it in place (docs/protocol.md section 5)
 */
public record RequestInfo(
        String rid,
        String httpWorkerIpc,
        int promptTokens,
        int routedDpRank,
        long bootstrapRoom,
        String routingKey,
        long[] prefixHashes,
        boolean dispatchTimeAtEnd) {

    private static final long[] NO_HASHES = {};

    /** A request without prefix hashes. */
    public RequestInfo(
            String rid,
            String httpWorkerIpc,
            int promptTokens,
            int routedDpRank,
            long bootstrapRoom,
            String routingKey,
            boolean dispatchTimeAtEnd) {
        this(rid, httpWorkerIpc, promptTokens, routedDpRank, bootstrapRoom, routingKey, NO_HASHES, dispatchTimeAtEnd);
    }

    /** {@code routedDpRank} of a request that any rank may take. */
    public static final int NO_RANK = Integer.MIN_VALUE;

    /** {@code bootstrapRoom} of a request without one. */
    public static final long NO_ROOM = Long.MIN_VALUE;
}
