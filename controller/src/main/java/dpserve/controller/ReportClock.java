package dpserve.controller;

import java.util.Arrays;

/**
 * How old each rank's newest report is. On one host the rank's monotonic clock is this process's own, so the age counts from
 * the moment of sampling. Clocks of two hosts have nothing in common: there the quickest report of the incarnation stands
 * for one that took no time, and the age is what the newest took longer, and the time since.
 */
final class ReportClock {
    /** Clocks further apart are not one clock; no report is that old. */
    private static final long LONGEST_AGE_NS = 3_600_000_000_000L;

    private static final double NS_PER_S = 1e9;

    private long[] arrivedNs = {};
    private long[] sampledNs = {};
    private long[] leastNs = {};
    private boolean[] far = {};

    void ensureSlots(int slots) {
        arrivedNs = Arrays.copyOf(arrivedNs, slots);
        sampledNs = Arrays.copyOf(sampledNs, slots);
        leastNs = Arrays.copyOf(leastNs, slots);
        far = Arrays.copyOf(far, slots);
    }

    /**
     * An incarnation begins.
     *
     * @param onOtherHost whether its clock cannot be this process's
     */
    void begin(int dpRank, boolean onOtherHost) {
        far[dpRank] = onOtherHost;
        leastNs[dpRank] = Long.MAX_VALUE;
    }

    /** @param ticS seconds on the rank's monotonic clock when it sampled */
    void report(int dpRank, double ticS, long nowNs) {
        arrivedNs[dpRank] = nowNs;
        sampledNs[dpRank] = (long) (ticS * NS_PER_S);
        leastNs[dpRank] = Math.min(leastNs[dpRank], nowNs - sampledNs[dpRank]);
    }

    /** When the newest report arrived. */
    long arrivedNs(int dpRank) {
        return arrivedNs[dpRank];
    }

    /** Of a rank that has reported, nanoseconds. */
    long ageNs(int dpRank, long nowNs) {
        long sinceNs = nowNs - sampledNs[dpRank];
        if (far[dpRank]) {
            return Math.max(0, sinceNs - leastNs[dpRank]);
        }
        boolean comparable = sinceNs >= 0 && sinceNs <= LONGEST_AGE_NS;
        return comparable ? sinceNs : Math.max(0, nowNs - arrivedNs[dpRank]);
    }
}
