package dpserve.scheduler.process;

import java.util.concurrent.locks.LockSupport;

/**
 * Makes each step last as long as its modelled device would take. A park overshoots by some 60 microseconds; steps that
 * follow each other begin where the last one should have ended, so the error does not add up and nothing spins.
 */
final class StepPacer {
    /** A step that ended later than this after its time is not made up for: the device was waited for, not the CPU. */
    private static final long MAX_CARRIED_NS = 1_000_000;

    /** Steps that overran by more than this share of their time, and by the above, are counted. */
    private static final double TOLERATED_SHARE = 0.05;

    private final double timeScale;
    private long dueNs;
    private boolean paused = true;
    private long overruns;

    /** @param timeScale wall time for one unit of modelled time; 0 for no waiting */
    StepPacer(double timeScale) {
        this.timeScale = timeScale;
    }

    /**
     * Waits for the end of a step.
     *
     * @param startNs when it began
     * @param durationNs its modelled time
     */
    void await(long startNs, long durationNs) {
        long scaledNs = Math.round(durationNs * timeScale);
        if (scaledNs <= 0) {
            return;
        }
        long lateNs = paused ? 0 : Math.max(0, startNs - dueNs);
        boolean follows = !paused && lateNs <= MAX_CARRIED_NS;
        boolean overrun = lateNs > MAX_CARRIED_NS && lateNs > TOLERATED_SHARE * scaledNs;
        dueNs = (follows ? dueNs : startNs) + scaledNs;
        paused = false;
        long leftNs = dueNs - System.nanoTime();
        while (leftNs > 0) {
            LockSupport.parkNanos(leftNs);
            if (Thread.interrupted()) {
                Thread.currentThread().interrupt();
                return;
            }
            leftNs = dueNs - System.nanoTime();
        }
        if (overrun || (-leftNs > MAX_CARRIED_NS && -leftNs > TOLERATED_SHARE * scaledNs)) {
            overruns++;
        }
    }

    /** There was nothing to do: the next step follows no other. */
    void pause() {
        paused = true;
    }

    /** Steps that took, or began after the one before, over 5 % and 1 ms longer than modelled: figures measured then are the machine's, not the model's. */
    long overruns() {
        return overruns;
    }
}
