package dpserve.controller.policy;

import dpserve.io.message.GetLoadReqOutput;
import java.util.List;

/**
 * SGLang's {@code shortest_queue} as merged in PR #11469 (the class DPBudget).
 *
 * <p>Loads whose ts_tic lie within the window of each other form a round. Once every rank has a load in the round, and
 * the update interval has passed, a plan is made: ranks at the lowest num_reqs take turns, in rank order, until they
 * reach the next lowest, and so on until all are equal. Requests follow the plan; there is no increment at dispatch, so
 * between two rounds the plan is fixed. An exhausted plan is followed by one request for each rank in rank order.
 *
 * <p>Upstream builds the plan as a queue. Here it is a level that rises over the num_reqs of the round, which gives the
 * same sequence without its length in memory. Upstream knows no dead ranks: here a round is complete with all live
 * ranks, and a turn of a rank that is not live is skipped.
 *
 * <p>ts_tic is compared between ranks, so they must share one host's monotonic clock.
 */
final class ShortestQueue implements DispatchPolicy {

    /** The window of PR #11469. */
    static final double WINDOW_S = 0.002;

    /**
     * Shortest window a time scale can bring: ranks that step together still report up to some tenths of a
     * millisecond apart, because the operating system wakes them one after the other.
     */
    static final double MIN_WINDOW_S = 0.000_5;

    private final double windowS;
    private final int updateInterval;

    private double roundTic;
    private boolean[] pending = new boolean[0];
    private int pendingCount;
    private int updateCount;
    private int[] numReqs = new int[0];

    /** The plan: slots below {@code planSlots} with load at most {@code level}, while {@code level < top}. */
    private int planSlots;

    private int[] planLoad = new int[0];
    private int level;
    private int top;
    private int cursor;

    /** Next rank of the round that follows an exhausted plan; {@code fillSlots} when that round is over too. */
    private int fillCursor;

    private int fillSlots;

    /**
     * @param windowS longest distance of two loads' ts_tic in one round, seconds
     * @param updateInterval every how many complete rounds a plan is made, at least 1
     */
    ShortestQueue(double windowS, int updateInterval) {
        this.windowS = windowS;
        this.updateInterval = updateInterval;
    }

    /** The policy with its window scaled like every other period, see {@link #MIN_WINDOW_S}. */
    static ShortestQueue scaled(double timeScale, int updateInterval) {
        return new ShortestQueue(Math.max(MIN_WINDOW_S, WINDOW_S * timeScale), updateInterval);
    }

    @Override
    public void onReport(RankView ranks, List<GetLoadReqOutput> loads) {
        reserve(ranks.slots());
        for (GetLoadReqOutput load : loads) {
            add(load);
        }
        if (!isComplete(ranks)) {
            return;
        }
        updateCount = (updateCount + 1) % updateInterval;
        if (updateCount == 0) {
            plan(ranks);
        }
    }

    private void add(GetLoadReqOutput load) {
        if (Math.abs(load.tsTic() - roundTic) > windowS) {
            java.util.Arrays.fill(pending, false);
            pendingCount = 0;
            roundTic = load.tsTic();
        }
        if (!pending[load.dpRank()]) {
            pending[load.dpRank()] = true;
            pendingCount++;
        }
        numReqs[load.dpRank()] = load.numReqs();
    }

    private boolean isComplete(RankView ranks) {
        int live = ranks.liveCount();
        if (live == 0 || pendingCount < live) {
            return false;
        }
        for (int r = 0; r < ranks.slots(); r++) {
            if (ranks.isLive(r) && !pending[r]) {
                return false;
            }
        }
        return true;
    }

    private void plan(RankView ranks) {
        planSlots = ranks.slots();
        int lowest = Integer.MAX_VALUE;
        int highest = Integer.MIN_VALUE;
        for (int r = 0; r < planSlots; r++) {
            boolean member = ranks.isLive(r);
            planLoad[r] = member ? numReqs[r] : Integer.MAX_VALUE;
            if (member) {
                lowest = Math.min(lowest, numReqs[r]);
                highest = Math.max(highest, numReqs[r]);
            }
        }
        level = lowest;
        top = highest;
        cursor = 0;
        fillCursor = 0;
        fillSlots = 0;
    }

    @Override
    public int choose(RankView ranks, RequestInfo request) {
        int planned = nextPlanned(ranks);
        if (planned >= 0) {
            return planned;
        }
        int slots = ranks.slots();
        // Two rounds at most: the rest of the present one, and a whole one that meets every live rank.
        for (int i = 0; i < 2; i++) {
            for (; fillCursor < fillSlots; fillCursor++) {
                if (ranks.isLive(fillCursor)) {
                    return fillCursor++;
                }
            }
            fillCursor = 0;
            fillSlots = slots;
        }
        return NOT_LIVE;
    }

    private int nextPlanned(RankView ranks) {
        while (level < top) {
            boolean anyLive = false;
            for (int r = cursor; r < planSlots; r++) {
                if (planLoad[r] <= level && ranks.isLive(r)) {
                    cursor = r + 1;
                    return r;
                }
            }
            for (int r = 0; r < cursor && !anyLive; r++) {
                anyLive = planLoad[r] <= level && ranks.isLive(r);
            }
            cursor = 0;
            // Without a live rank at this level the plan goes on at the next load of a live one.
            level = anyLive ? level + 1 : Math.max(level + 1, lowestLive(ranks));
        }
        return NOT_LIVE;
    }

    private int lowestLive(RankView ranks) {
        int lowest = top;
        for (int r = 0; r < planSlots; r++) {
            if (ranks.isLive(r)) {
                lowest = Math.min(lowest, planLoad[r]);
            }
        }
        return lowest;
    }

    private void reserve(int slots) {
        if (pending.length < slots) {
            pending = java.util.Arrays.copyOf(pending, slots);
            numReqs = java.util.Arrays.copyOf(numReqs, slots);
            planLoad = java.util.Arrays.copyOf(planLoad, slots);
        }
    }
}
