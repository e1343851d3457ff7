package dpserve.controller.policy;

/**
 * LMetric (arXiv 2603.15202), {@code lmetric}: least product of the prefill tokens that would stand before the rank and
 * the batch it would decode, this request counted in both; no weight to tune. Prefill tokens are those waiting in the
 * newest report and those it had not yet seen; prefix hits are not known here, so every prompt counts whole.
 */
final class LMetric implements DispatchPolicy {
    private final Rotation rotation = new Rotation();

    @Override
    public int choose(RankView ranks, RequestInfo request) {
        return rotation.least(ranks, request, LMetric::load, LeastRequests::load);
    }

    @Override
    public double score(RankView ranks, RequestInfo request, int dpRank) {
        return load(ranks, request, dpRank);
    }

    private static long load(RankView ranks, RequestInfo request, int dpRank) {
        long prefill = ranks.reportedWaitingTokens(dpRank) + ranks.unseenPromptTokens(dpRank) + request.promptTokens();
        return prefill * (ranks.requests(dpRank) + 1);
    }
}
