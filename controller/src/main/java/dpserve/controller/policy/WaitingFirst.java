package dpserve.controller.policy;

/**
 * vLLM's rule, {@code vllm}: least 4 x waiting + running of the newest report, where each dispatch since it arrived
 * counts as waiting. Ties rotate, as in vLLM since #47420.
 */
final class WaitingFirst implements DispatchPolicy {
    /** What a waiting request weighs against a running one. */
    private static final long WAITING_WEIGHT = 4;

    private final Rotation rotation = new Rotation();

    @Override
    public int choose(RankView ranks, RequestInfo request) {
        return rotation.least(ranks, request, WaitingFirst::load);
    }

    @Override
    public double score(RankView ranks, RequestInfo request, int dpRank) {
        return load(ranks, request, dpRank);
    }

    private static long load(RankView ranks, RequestInfo request, int dpRank) {
        int reportedWaiting = ranks.reportedWaitingRequests(dpRank);
        long running = ranks.reportedRequests(dpRank) - reportedWaiting;
        return WAITING_WEIGHT * (reportedWaiting + ranks.requestsSinceReport(dpRank)) + running;
    }
}
