package dpserve.controller;

/**
 * Time as the controller itself lived through it. While it is stopped (a paused process, a long garbage collection, a
 * suspended machine) heartbeats cannot be read, so that time must not count against the ranks: of the time between two
 * looks at the clock at most {@link #MAX_STEP_NS} passes here.
 */
final class RunningClock {
    /**
     * 150 ms: three ticks of the process's loop, so a late wake-up still counts in full, and less than any timeout, so
     * one stop alone never makes a rank look dead.
     */
    static final long MAX_STEP_NS = 150_000_000L;

    private boolean started;
    private long lastNs;
    private long runningNs;

    /**
     * @param nowNs monotonic time; one before the last is taken for the last, so that no time counts twice
     * @return time lived through so far, ns
     */
    long at(long nowNs) {
        long passedNs = started ? Math.max(0, nowNs - lastNs) : 0;
        runningNs += Math.min(passedNs, MAX_STEP_NS);
        lastNs = started ? lastNs + passedNs : nowNs;
        started = true;
        return runningNs;
    }
}
