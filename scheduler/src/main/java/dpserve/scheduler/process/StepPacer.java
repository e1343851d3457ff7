package dpserve.scheduler.process;

import java.util.concurrent.locks.LockSupport;

/**
 * Makes each step last as long as its modelled device would take. Steps that follow each other begin where the last one
 * should have ended: what the process does between two of them, and what a park overshoots (some 60 microseconds), is part
 * of the modelled time, as it was of the time the model was measured from. Nothing spins.
 */
final class StepPacer {
    /** A step that ended later than this after its time, and by over {@link #TOLERATED_SHARE} of it, is an overrun. */
    private static final long TOLERATED_NS = 1_000_000;

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
        dueNs = (paused ? startNs : dueNs) + scaledNs;
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
        if (-leftNs > TOLERATED_NS && -leftNs > TOLERATED_SHARE * scaledNs) {
            overruns++;
            // Not made up for: the next steps take their time.
            paused = true;
        }
    }

    /** There was nothing to do: the next step follows no other. */
    void pause() {
        paused = true;
    }

    /** Steps that ended over 5 % and 1 ms late: figures measured then are the machine's, not the model's. */
    long overruns() {
        return overruns;
    }
}
