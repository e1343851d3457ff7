package dpserve.controller.policy;

/**
 * The better of two different random ranks, {@code power_of_two}: robust to old information (Mitzenmacher, TPDS 2000).
 * Better is fewer requests in flight by the exact count; a tie goes to the first drawn, which is random.
 */
final class PowerOfTwo implements DispatchPolicy {
    private final Draws draws;

    PowerOfTwo(long seed) {
        draws = new Draws(seed);
    }

    @Override
    public int choose(RankView ranks, RequestInfo request) {
        int live = ranks.liveCount();
        int first = draws.below(live);
        int a = Draws.nthLive(ranks, first);
        if (live == 1) {
            return a;
        }
        // The second is drawn from the others.
        int second = draws.below(live - 1);
        int b = Draws.nthLive(ranks, second < first ? second : second + 1);
        return ranks.requests(b) < ranks.requests(a) ? b : a;
    }

    @Override
    public double score(RankView ranks, RequestInfo request, int dpRank) {
        return ranks.requests(dpRank);
    }
}
