package dpserve.controller.policy;

/** Any live rank with equal chance: {@code random}. */
final class RandomChoice implements DispatchPolicy {
    private final Draws draws;

    RandomChoice(long seed) {
        draws = new Draws(seed);
    }

    @Override
    public int choose(RankView ranks, RequestInfo request) {
        return draws.liveRank(ranks);
    }
}
