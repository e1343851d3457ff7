package dpserve.controller.policy;

/**
 * The rank with the least work before it, {@code least_work}: prompt tokens in flight, of which those that still wait for
 * their prefill count {@value #WAITING_WEIGHT} times more, then requests. A prompt whose beginning went to a rank before goes
 * there again unless that rank holds well more prompt tokens than the average ({@link PrefixAffinity}).
 *
 * <p>Prompt tokens are exact however late the reports are; a report only tells which of them have been computed, and what it
 * had not seen counts as waiting. Output tokens do not count: how many there are now says how old a rank's requests are,
 * and evening that out sends the new ones all to one rank ({@link LeastTokens} does so when requests are alike). With equal
 * prompts this is {@link LeastRequests}. docs/laboratory.md has the comparison that led to it.
 */
final class LeastWork implements DispatchPolicy {
    /** A prefill holds up all that a rank does; of 0, 1, 2 and 4, 2 came out best over the laboratory's workloads. */
    static final int WAITING_WEIGHT = 2;

    /** A prefix may always bring a rank one prefill batch more than the average. */
    static final int SLACK_TOKENS = 16_384;

    private final PrefixAffinity affinity =
            new PrefixAffinity(LeastWork::load, (ranks, request, r) -> ranks.inFlightPromptTokens(r), SLACK_TOKENS);

    @Override
    public int choose(RankView ranks, RequestInfo request) {
        return affinity.choose(ranks, request);
    }

    private static long load(RankView ranks, RequestInfo request, int dpRank) {
        long waiting = ranks.reportedWaitingTokens(dpRank) + ranks.unseenPromptTokens(dpRank);
        return ranks.inFlightPromptTokens(dpRank) + WAITING_WEIGHT * waiting;
    }
}
