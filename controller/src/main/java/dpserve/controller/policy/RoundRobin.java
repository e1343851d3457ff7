package dpserve.controller.policy;

/** Each live rank in turn, by dp_rank: SGLang's {@code round_robin}. */
final class RoundRobin implements DispatchPolicy {
    private int next;

    @Override
    public int choose(RankView ranks, RequestInfo request) {
        int slots = ranks.slots();
        for (int i = 0; i < slots; i++) {
            int dpRank = (next + i) % slots;
            if (ranks.isLive(dpRank)) {
                next = (dpRank + 1) % slots;
                return dpRank;
            }
        }
        return NOT_LIVE;
    }
}
