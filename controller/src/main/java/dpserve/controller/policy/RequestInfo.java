package dpserve.controller.policy;

import dpserve.io.codec.TextSpan;
import dpserve.io.message.TokenizedGenerateReqInput;

/**
 * What the controller reads from a request's bytes: enough to route it, account for it and refuse it.
 *
 * @param ridSpan wire rid, as a rule where it lies in the request's frame; a plain rid, or null, from a legacy stream
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
        TextSpan ridSpan,
        String httpWorkerIpc,
        int promptTokens,
        int routedDpRank,
        long bootstrapRoom,
        String routingKey,
        long[] prefixHashes,
        boolean dispatchTimeAtEnd) {

    private static final long[] NO_HASHES = {};

    /** Of a rid that is a text already. */
    public RequestInfo(
            String rid,
            String httpWorkerIpc,
            int promptTokens,
            int routedDpRank,
            long bootstrapRoom,
            String routingKey,
            long[] prefixHashes,
            boolean dispatchTimeAtEnd) {
        this(
                rid == null ? null : TextSpan.of(rid),
                httpWorkerIpc,
                promptTokens,
                routedDpRank,
                bootstrapRoom,
                routingKey,
                prefixHashes,
                dispatchTimeAtEnd);
    }

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

    /** The rid as a text, made anew each time; null if there is none. */
    public String rid() {
        return ridSpan == null ? null : ridSpan.toString();
    }

    /** Whether the rid names a health probe. */
    public boolean isHealthCheck() {
        return ridSpan != null && ridSpan.startsWith(TokenizedGenerateReqInput.HEALTH_CHECK_PREFIX);
    }
}
