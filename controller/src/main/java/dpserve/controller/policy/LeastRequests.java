package dpserve.controller.policy;

/**
 * The rank with the fewest requests in flight, by the exact count: {@code least_requests}. From idle and with one
 * tokenizer worker no rank ever holds more than ceil(requests in flight / ranks), however late the reports are.
 */
final class LeastRequests implements DispatchPolicy {
    private final Rotation rotation = new Rotation();

    @Override
    public int choose(RankView ranks, RequestInfo request) {
        return rotation.least(ranks, request, LeastRequests::load);
    }

    @Override
    public double score(RankView ranks, RequestInfo request, int dpRank) {
        return load(ranks, request, dpRank);
    }

    static long load(RankView ranks, RequestInfo request, int dpRank) {
        return ranks.requests(dpRank);
    }
}
