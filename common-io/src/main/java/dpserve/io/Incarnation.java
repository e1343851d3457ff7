package dpserve.io;

/** Numbers for the lives of a process or rank: each higher than every one before it. */
public final class Incarnation {
    private long last;

    /**
     * The next incarnation: max(epoch milliseconds, previous + 1). A restarted process gets a higher one because time
     * has passed; a process that registers again within a millisecond because of the plus one.
     */
    public synchronized long next(long epochMs) {
        last = Math.max(epochMs, last + 1);
        return last;
    }
}
