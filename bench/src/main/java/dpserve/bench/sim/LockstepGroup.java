package dpserve.bench.sim;

import dpserve.scheduler.Batch;
import dpserve.scheduler.StepResult;

/**
 * Ranks under DP attention: all step together, a step lasts as long as the slowest rank's, and idle ranks take part.
 * While no rank has work nothing runs.
 */
final class LockstepGroup {
    private final EventQueue queue;
    private final SimRank[] ranks;
    private final ImbalanceMeter imbalance;
    private boolean running;

    LockstepGroup(EventQueue queue, SimRank[] ranks, ImbalanceMeter imbalance) {
        this.queue = queue;
        this.ranks = ranks;
        this.imbalance = imbalance;
    }

    /** A rank may have work: begins stepping unless a step is under way. */
    void wake() {
        if (!running) {
            running = true;
            // Behind everything that arrives at this same moment.
            queue.after(0, this::step);
        }
    }

    private void step() {
        Batch[] batches = new Batch[ranks.length];
        StepResult[] results = new StepResult[ranks.length];
        int[] by = new int[ranks.length];
        long stepNs = -1;
        for (int r = 0; r < ranks.length; r++) {
            if (ranks[r].isAlive() && !ranks[r].isPaused()) {
                by[r] = ranks[r].life();
                batches[r] = ranks[r].begin();
                if (batches[r] != null) {
                    results[r] = ranks[r].run(batches[r]);
                    stepNs = Math.max(stepNs, results[r].durationNs());
                }
            }
        }
        if (stepNs < 0) {
            running = false;
            return;
        }
        long lastsNs = stepNs;
        queue.after(lastsNs, () -> {
            for (int r = 0; r < ranks.length; r++) {
                if (by[r] != 0 && by[r] == ranks[r].life()) {
                    imbalance.barrier(batches[r] == null ? 0 : results[r].durationNs(), lastsNs);
                    if (batches[r] != null) {
                        ranks[r].finish(batches[r], results[r]);
                    }
                }
            }
            step();
        });
    }
}
