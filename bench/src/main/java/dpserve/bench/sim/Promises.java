package dpserve.bench.sim;

import dpserve.controller.DataParallelController;
import java.util.ArrayList;
import java.util.List;

/** What every run must keep, however it went: checked when all requests have ended. */
final class Promises {
    private Promises() {}

    /**
     * The promises that were broken, in words; empty if all were kept.
     *
     * @param ghosts whether ranks may have been taken for dead that were not
     */
    static List<String> check(
            DataParallelController controller,
            SimRank[] ranks,
            SimRequest[] requests,
            int wrong,
            boolean ghosts,
            SimTokenizers tokenizers) {
        List<String> broken = new ArrayList<>();
        int open = 0;
        int incomplete = 0;
        for (SimRequest r : requests) {
            open += r == null || r.endNs < 0 ? 1 : 0;
            incomplete += r != null && !r.failed && r.tokens == 0 ? 1 : 0;
        }
        expectZero(broken, open, "requests did not end");
        expectZero(broken, incomplete, "requests finished without a token");
        expectZero(broken, wrong, "outputs held a wrong, lost, doubled or mixed token");
        // A rank that was taken for dead may speak; by name, what it says is dropped.
        expectZero(broken, ghosts ? 0 : tokenizers.afterEnd(), "outputs came after their request's end");
        expectZero(broken, tokenizers.size(), "requests are left in the tokenizer managers");
        expectZero(broken, controller.rids().size(), "requests are left in the rid map");
        expectZero(broken, controller.heldRequests(), "requests are left waiting in the controller");
        expectZero(broken, (int) controller.view().impossibleCounts(), "reports held a count that cannot be right");
        for (SimRank rank : ranks) {
            if (rank.dpRank() < controller.view().slots()) {
                long inFlight = controller.view().inFlightRequests(rank.dpRank());
                expectZero(broken, (int) inFlight, "requests are counted in flight on dp_rank " + rank.dpRank());
            }
            if (rank.isAlive() && !controller.ranks().get(rank.dpRank()).isAlive()) {
                broken.add("dp_rank " + rank.dpRank() + " runs, but is "
                        + controller.ranks().get(rank.dpRank()).state() + " to the controller");
            }
            if (rank.isAlive()) {
                expectZero(broken, rank.scheduler().heldCount(), "requests are left on dp_rank " + rank.dpRank());
            }
        }
        return broken;
    }

    private static void expectZero(List<String> broken, int count, String what) {
        if (count != 0) {
            broken.add(count + " " + what);
        }
    }
}
