package dpserve.controller.policy;

/**
 * What a policy may know about the ranks. Slots are indexed by dp_rank, 0 to {@link #slots} - 1; a slot may be empty,
 * dead or draining, so ask {@link #isLive} before choosing one. All reads are constant time and allocate nothing.
 *
 * <p>Requests and prompt tokens in flight come from the rid map and are exact; what a report says is as old as the
 * report. {@link #requests} and {@link #tokens} join both as docs/protocol.md section 6 has it, and are what a
 * load-aware policy normally wants.
 */
public interface RankView {

    /** Number of slots: dp_size, or more once ranks were added. */
    int slots();

    /** Whether this rank takes new requests: up and not draining. False for a number that is not a slot. */
    boolean isLive(int dpRank);

    /** Number of slots that are live. */
    int liveCount();

    /**
     * Best current count of requests on the rank: dispatched minus ended, where an end counts as soon as either the
     * owning worker or the rank's own report told of it. Never below the truth. A legacy stream's ends are told by
     * the rank alone; if its reports have no counters either, this is the newest report plus what was dispatched since.
     */
    long requests(int dpRank);

    /** Prompt tokens in flight plus the newest reported output tokens. */
    long tokens(int dpRank);

    /** Requests dispatched and not ended, by wire rid. */
    long inFlightRequests(int dpRank);

    /** Their prompt tokens. */
    long inFlightPromptTokens(int dpRank);

    /** Requests dispatched that the newest report had not seen arrive; no more than are in flight. */
    long unseenRequests(int dpRank);

    /** Their prompt tokens. */
    long unseenPromptTokens(int dpRank);

    /** Whether the rank's present incarnation has reported; without a report the reported figures are 0. */
    boolean hasReport(int dpRank);

    /** Running and waiting requests in the newest report. */
    int reportedRequests(int dpRank);

    /** Waiting requests in the newest report. */
    int reportedWaitingRequests(int dpRank);

    /** Tokens held in the newest report: KV in use and the lengths of waiting requests. */
    int reportedTokens(int dpRank);

    /** Prompt and earlier output tokens of requests waiting in the newest report. */
    int reportedWaitingTokens(int dpRank);

    /** Output tokens of the requests held in the newest report. */
    long reportedOutputTokens(int dpRank);

    /** KV slots of the rank, 0 while unknown. */
    int maxTotalNumTokens(int dpRank);

    /** Requests dispatched since the newest report arrived, whether or not it had seen them. */
    long requestsSinceReport(int dpRank);

    /** Their prompt tokens. */
    long tokensSinceReport(int dpRank);
}
