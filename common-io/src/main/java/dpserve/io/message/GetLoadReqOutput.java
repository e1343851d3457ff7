package dpserve.io.message;

/**
 * What one rank held at one moment: the fields of PR #11469 and, in the extension element, what exact accounting needs
 * (docs/protocol.md section 5). All values are sampled together, after the step's results were applied.
 *
 * @param rid the call's rid when it answers {@link GetLoadReqInput}, otherwise null
 * @param httpWorkerIpc where an answer goes, otherwise null
 * @param dpRank the rank
 * @param numReqs running and waiting requests
 * @param numWaitingReqs waiting requests
 * @param numTokens tokens of all requests held: KV in use by running ones and the lengths of waiting ones
 * @param tsTic monotonic seconds on the rank's host; comparable only on one host
 * @param incarnation the rank's incarnation; 0 from a legacy peer
 * @param seq grows by one with each report of an incarnation; -1 from a legacy peer
 * @param receivedReqs requests received by this incarnation so far, rejected ones included, health probes not
 * @param receivedTokens their prompt tokens
 * @param endedReqs requests ended so far, rejected ones included
 * @param endedTokens their prompt tokens
 * @param numOutputTokens output tokens of the requests held
 * @param numUsedTokens KV slots in use
 * @param maxTotalNumTokens KV slots there are
 * @param genThroughput output tokens per second over the last decode log interval
 * @param cacheHitRate share of prompt tokens found in the prefix cache, 0 to 1, over the last prefill log interval
 * @param numRetracted requests retracted so far
 */
public record GetLoadReqOutput(
        String rid,
        String httpWorkerIpc,
        int dpRank,
        int numReqs,
        int numWaitingReqs,
        int numTokens,
        double tsTic,
        long incarnation,
        long seq,
        long receivedReqs,
        long receivedTokens,
        long endedReqs,
        long endedTokens,
        long numOutputTokens,
        int numUsedTokens,
        int maxTotalNumTokens,
        double genThroughput,
        double cacheHitRate,
        long numRetracted)
        implements Message {

    /** {@code seq} of a report that carries no sequence number. */
    public static final long NO_SEQ = -1;

    /** A report as SGLang's PR #11469 sends it: nothing but the five fields. */
    public static GetLoadReqOutput legacy(int dpRank, int numReqs, int numWaitingReqs, int numTokens, double tsTic) {
        return new GetLoadReqOutput(
                null, null, dpRank, numReqs, numWaitingReqs, numTokens, tsTic, 0, NO_SEQ, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
    }

    /** Whether no count is negative and no more has ended than was received. */
    public boolean isPossible() {
        return numReqs >= 0
                && numWaitingReqs >= 0
                && numTokens >= 0
                && numOutputTokens >= 0
                && endedReqs >= 0
                && endedTokens >= 0
                && endedReqs <= receivedReqs
                && endedTokens <= receivedTokens;
    }

    /** The same load as an answer to a call. */
    public GetLoadReqOutput answering(String callRid, String callIpc) {
        return new GetLoadReqOutput(
                callRid,
                callIpc,
                dpRank,
                numReqs,
                numWaitingReqs,
                numTokens,
                tsTic,
                incarnation,
                seq,
                receivedReqs,
                receivedTokens,
                endedReqs,
                endedTokens,
                numOutputTokens,
                numUsedTokens,
                maxTotalNumTokens,
                genThroughput,
                cacheHitRate,
                numRetracted);
    }
}
