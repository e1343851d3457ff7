package dpserve.io;

import java.util.Objects;

/** Numbers for the lives of a process or rank: each higher than every one before it. */
public final class Incarnation {
    /**
     * A worker's incarnation tells its start only so exactly, and its index in place of the rest. Above {@link Endpoints#MAX_TOKENIZERS},
     * and less than a successor needs to start (see {@link #ofWorker}).
     */
    public static final int WORKER_RESOLUTION_MS = 64;

    private long last;

    /**
     * The incarnation of a tokenizer worker that starts now. Different for different workers, whenever they start, because it
     * names its worker alone: in wire rids and in what the controller keeps of them.
     *
     * <p>A successor process does not know what its predecessor's was. Its own is higher if it starts at least {@link #WORKER_RESOLUTION_MS}
     * after it did, and the clock was not set back: a JVM alone takes longer to get here, and the launcher waits 100 ms besides. Started
     * sooner it would be taken for its predecessor. A worker takes one for its whole life; there is no next one to it.
     *
     * @param index of the worker, below {@link Endpoints#MAX_TOKENIZERS}
     */
    public static long ofWorker(long epochMs, int index) {
        return epochMs - epochMs % WORKER_RESOLUTION_MS + Objects.checkIndex(index, WORKER_RESOLUTION_MS);
    }

    /**
     * The next incarnation: max(epoch milliseconds, previous + 1). A restarted process gets a higher one because time
     * has passed; a process that registers again within a millisecond because of the plus one.
     */
    public synchronized long next(long epochMs) {
        last = Math.max(epochMs, last + 1);
        return last;
    }
}
