package dpserve.controller.policy;

/**
 * Finds the least loaded live rank, ties going to whoever comes next in turn: taking the lowest number on every tie
 * skews whole runs (vLLM #47420).
 */
final class Rotation {

    /** The load of one rank if this request went there; smaller is better. */
    interface Load {
        long of(RankView ranks, RequestInfo request, int dpRank);
    }

    private int next;

    /** The live rank with the least load, or {@link DispatchPolicy#NOT_LIVE} without one. */
    int least(RankView ranks, RequestInfo request, Load load) {
        return least(ranks, request, load, load);
    }

    /** As above; equal loads are told apart by a second one. */
    int least(RankView ranks, RequestInfo request, Load load, Load second) {
        int slots = ranks.slots();
        int best = DispatchPolicy.NOT_LIVE;
        long bestLoad = Long.MAX_VALUE;
        long bestSecond = Long.MAX_VALUE;
        int rank = next < slots ? next : 0;
        for (int i = 0; i < slots; i++) {
            if (ranks.isLive(rank)) {
                long l = load.of(ranks, request, rank);
                if (best < 0 || l <= bestLoad) {
                    long s = second == load ? l : second.of(ranks, request, rank);
                    if (best < 0 || l < bestLoad || s < bestSecond) {
                        best = rank;
                        bestLoad = l;
                        bestSecond = s;
                    }
                }
            }
            rank = rank + 1 == slots ? 0 : rank + 1;
        }
        if (best >= 0) {
            next = best + 1;
        }
        return best;
    }
}
