package dpserve.controller.policy;

import dpserve.io.message.GetLoadReqOutput;
import java.util.Arrays;
import java.util.List;

/**
 * Join-idle-queue (Lu et al., Performance Evaluation 2011), {@code join_idle_queue}: ranks that report themselves idle
 * stand in a queue, a request takes the first of them, and without one any rank with equal chance. A rank that is given
 * a request, whoever chose it, is no longer idle.
 */
final class JoinIdleQueue implements DispatchPolicy {
    private final Draws draws;

    /** Ring of idle ranks; each rank stands in it at most once. */
    private int[] queue = {};

    private boolean[] queued = {};
    private int head;
    private int size;

    JoinIdleQueue(long seed) {
        draws = new Draws(seed);
    }

    @Override
    public int choose(RankView ranks, RequestInfo request) {
        ensureSlots(ranks.slots());
        while (size > 0) {
            int rank = queue[head];
            head = (head + 1) % queue.length;
            size--;
            queued[rank] = false;
            if (ranks.isLive(rank) && ranks.requests(rank) == 0) {
                return rank;
            }
        }
        return draws.liveRank(ranks);
    }

    @Override
    public void onReport(RankView ranks, List<GetLoadReqOutput> loads) {
        ensureSlots(ranks.slots());
        for (int i = 0; i < loads.size(); i++) {
            int rank = loads.get(i).dpRank();
            if (loads.get(i).numReqs() == 0 && !queued[rank] && ranks.requests(rank) == 0) {
                queue[(head + size) % queue.length] = rank;
                size++;
                queued[rank] = true;
            }
        }
    }

    private void ensureSlots(int slots) {
        if (queue.length >= slots) {
            return;
        }
        int[] bigger = new int[slots];
        for (int i = 0; i < size; i++) {
            bigger[i] = queue[(head + i) % queue.length];
        }
        queue = bigger;
        head = 0;
        queued = Arrays.copyOf(queued, slots);
    }
}
