package dpserve.bench.load;

import dpserve.bench.dataset.DatasetRow;
import dpserve.bench.dataset.Seeds;
import java.util.List;
import java.util.Random;

/** Arrival times, nanoseconds from the start of the run, ascending. */
public final class Arrivals {
    private static final int ARRIVALS = 41;

    private Arrivals() {}

    /** The times that the flags ask for; equal seeds give equal times. */
    public static long[] of(LoadOptions o, List<DatasetRow> rows, long seed) {
        return o.useTraceTimestamps ? trace(rows, o.effectiveTraceSpeed()) : poisson(rows.size(), o.requestRate, seed);
    }

    /**
     * A Poisson process that starts with an arrival at 0, as upstream's.
     *
     * @param rate per second; infinity puts all arrivals at 0
     */
    public static long[] poisson(int count, double rate, long seed) {
        long[] times = new long[count];
        if (Double.isInfinite(rate)) {
            return times;
        }
        Random random = Seeds.random(seed, ARRIVALS);
        double seconds = 0;
        for (int i = 1; i < count; i++) {
            seconds -= StrictMath.log(1 - random.nextDouble()) / rate;
            times[i] = (long) (seconds * 1e9);
        }
        return times;
    }

    /**
     * The rows' own times from the first row on.
     *
     * @param rows ascending by time
     * @param speed 2 replays twice as fast
     */
    public static long[] trace(List<DatasetRow> rows, double speed) {
        double first = rows.isEmpty() ? 0 : rows.get(0).timestampMs();
        return rows.stream()
                .mapToLong(r -> (long) ((r.timestampMs() - first) / speed * 1e6))
                .toArray();
    }
}
