package dpserve.bench.load;

import java.util.ArrayDeque;

/**
 * Says which request is due when: open loop by arrival times, closed loop by a limit of requests in flight, or both.
 *
 * <p>Latency counts from the time a request was meant to be sent, so that a client that falls behind does not hide it: that is
 * its arrival or, if all slots were taken then, the moment the slot it gets came free. (Upstream counts from the actual send.)
 *
 * <p>Not thread-safe; all times in nanoseconds from the start of the run.
 */
public final class LoadSchedule {
    /** Returned by {@link #next} when nothing is due. */
    public static final int NONE = -1;

    private final long[] arrivalNs;
    private final int limit;
    private final ArrayDeque<Long> freedNs = new ArrayDeque<>();
    private int sent;
    private int inFlight;
    private long intendedNs;

    /**
     * @param arrivalNs ascending
     * @param maxConcurrency null for no limit
     */
    public LoadSchedule(long[] arrivalNs, Integer maxConcurrency) {
        this.arrivalNs = arrivalNs;
        this.limit = maxConcurrency == null ? Integer.MAX_VALUE : maxConcurrency;
    }

    /**
     * The number of the next request to send now, or {@link #NONE}. It takes its slot at once; {@link #intendedNs} is then
     * the time it was meant for.
     */
    public int next(long nowNs) {
        if (sent == arrivalNs.length || arrivalNs[sent] > nowNs || inFlight == limit) {
            return NONE;
        }
        // The first `limit` requests find slots that were free from the start.
        boolean slotWasFree = sent < limit;
        intendedNs = slotWasFree ? arrivalNs[sent] : Math.max(arrivalNs[sent], freedNs.poll());
        inFlight++;
        return sent++;
    }

    /** The time the request last returned by {@link #next} was meant for. */
    public long intendedNs() {
        return intendedNs;
    }

    /** A request ended. */
    public void finished(long nowNs) {
        inFlight--;
        if (limit != Integer.MAX_VALUE) {
            freedNs.add(nowNs);
        }
    }

    /** When the next request arrives; {@link Long#MAX_VALUE} after the last. */
    public long nextArrivalNs() {
        return sent == arrivalNs.length ? Long.MAX_VALUE : arrivalNs[sent];
    }

    /** Whether every request was sent and ended. */
    public boolean isDone() {
        return sent == arrivalNs.length && inFlight == 0;
    }
}
