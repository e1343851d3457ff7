package dpserve.controller;

import java.util.LinkedHashMap;
import java.util.Map;

/** The controller's counters; owned by its thread. */
public final class Counters {
    private final long[] values = new long[Count.values().length];

    /** Counts one. */
    public void add(Count count) {
        values[count.ordinal()]++;
    }

    /** Counts several. */
    public void add(Count count, long n) {
        values[count.ordinal()] += n;
    }

    /** The value. */
    public long get(Count count) {
        return values[count.ordinal()];
    }

    /** All values by their exported names. */
    public Map<String, Object> export() {
        Map<String, Object> all = new LinkedHashMap<>();
        for (Count c : Count.values()) {
            all.put(c.exportName(), values[c.ordinal()]);
        }
        return all;
    }
}
