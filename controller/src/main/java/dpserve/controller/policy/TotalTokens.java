package dpserve.controller.policy;

/**
 * SGLang's {@code total_tokens} of 2026: tokens of the newest report plus the prompts dispatched since it arrived, then
 * requests likewise. Late reports mislead it as they do {@link TotalRequests}; ties rotate.
 */
final class TotalTokens implements DispatchPolicy {
    private final Rotation rotation = new Rotation();

    @Override
    public int choose(RankView ranks, RequestInfo request) {
        return rotation.least(ranks, request, TotalTokens::load, TotalRequests::load);
    }

    @Override
    public double score(RankView ranks, RequestInfo request, int dpRank) {
        return load(ranks, request, dpRank);
    }

    private static long load(RankView ranks, RequestInfo request, int dpRank) {
        return ranks.reportedTokens(dpRank) + ranks.tokensSinceReport(dpRank);
    }
}
