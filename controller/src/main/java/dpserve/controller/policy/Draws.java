package dpserve.controller.policy;

/** Pseudo-random numbers from a seed (SplitMix64), so that a run can be repeated. */
final class Draws {
    private static final long GAMMA = 0x9e3779b97f4a7c15L;

    private long state;

    Draws(long seed) {
        state = seed;
    }

    /** A number from 0 to {@code bound} - 1; the bias of the multiplication is below 2^-31 for any number of ranks. */
    int below(int bound) {
        state += GAMMA;
        long z = (state ^ (state >>> 30)) * 0xbf58476d1ce4e5b9L;
        z = (z ^ (z >>> 27)) * 0x94d049bb133111ebL;
        z ^= z >>> 31;
        return (int) ((z >>> 32) * bound >>> 32);
    }

    /** A live rank, each with equal chance; at least one must be live. */
    int liveRank(RankView ranks) {
        return nthLive(ranks, below(ranks.liveCount()));
    }

    /** The live rank that {@code n} live ranks come before. */
    static int nthLive(RankView ranks, int n) {
        int left = n;
        for (int rank = 0; rank < ranks.slots(); rank++) {
            if (ranks.isLive(rank) && left-- == 0) {
                return rank;
            }
        }
        return DispatchPolicy.NOT_LIVE;
    }
}
