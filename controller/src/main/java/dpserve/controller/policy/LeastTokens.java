package dpserve.controller.policy;

/**
 * The rank with the fewest tokens in flight, then the fewest requests: {@code least_tokens}. Prompt tokens are exact;
 * output tokens are as old as the newest report.
 */
final class LeastTokens implements DispatchPolicy {
    private final Rotation rotation = new Rotation();

    @Override
    public int choose(RankView ranks, RequestInfo request) {
        return rotation.least(ranks, request, LeastTokens::load, LeastRequests::load);
    }

    @Override
    public double score(RankView ranks, RequestInfo request, int dpRank) {
        return load(ranks, request, dpRank);
    }

    private static long load(RankView ranks, RequestInfo request, int dpRank) {
        return ranks.tokens(dpRank);
    }
}
