package dpserve.controller.policy;

/**
 * SGLang's {@code total_requests} of 2026: running and waiting requests of the newest report, plus one for each dispatch
 * since it arrived. A report overwrites that addition even if it was sampled before the dispatches were received, which
 * is how late reports make ranks look empty. Upstream gives ties to the lowest rank; here they rotate.
 */
final class TotalRequests implements DispatchPolicy {
    private final Rotation rotation = new Rotation();

    @Override
    public int choose(RankView ranks, RequestInfo request) {
        return rotation.least(ranks, request, TotalRequests::load);
    }

    @Override
    public double score(RankView ranks, RequestInfo request, int dpRank) {
        return load(ranks, request, dpRank);
    }

    static long load(RankView ranks, RequestInfo request, int dpRank) {
        return ranks.reportedRequests(dpRank) + ranks.requestsSinceReport(dpRank);
    }
}
