package dpserve.bench.metrics;

/**
 * How far the measuring client itself stood in the way. Its figures are in the latencies it reports, because those count from
 * the intended send time and up to the moment the client read the reply.
 *
 * @param sendLagP99Ms delay of a request's send behind its intended time
 * @param loopLagP99Ms delay of a timer in the client's one network thread: how late it may notice an arrived byte
 * @param busyFraction CPU time of that thread / duration
 * @param events stream events read
 * @param limit why the figures are limited by the client; null if they are not
 */
public record ClientHealth(
        double sendLagP50Ms,
        double sendLagP99Ms,
        double sendLagMaxMs,
        double loopLagP99Ms,
        double loopLagMaxMs,
        double busyFraction,
        long events,
        String limit) {

    /** A thread this busy has no time left to read what arrives meanwhile. */
    private static final double BUSY_LIMIT = 0.85;

    /** Lag under this is the scheduler's noise on any machine, milliseconds. */
    private static final double NOISE_MS = 10;

    /** Lag above this share of what was measured distorts it. */
    private static final double DISTORTING = 0.05;

    /**
     * Judges the figures against what was measured.
     *
     * @param sendLagsMs sorted ascending
     * @param medianE2eMs median latency of the run
     */
    public static ClientHealth of(
            double[] sendLagsMs,
            double loopLagP99Ms,
            double loopLagMaxMs,
            double busyFraction,
            long events,
            double medianE2eMs) {
        double p50 = sendLagsMs.length == 0 ? 0 : Distribution.percentile(sendLagsMs, 50);
        double p99 = sendLagsMs.length == 0 ? 0 : Distribution.percentile(sendLagsMs, 99);
        double max = sendLagsMs.length == 0 ? 0 : sendLagsMs[sendLagsMs.length - 1];
        double tolerated = Math.max(NOISE_MS, DISTORTING * medianE2eMs);
        String limit = null;
        if (busyFraction > BUSY_LIMIT) {
            limit = String.format("its network thread was busy %.0f %% of the time", busyFraction * 100);
        } else if (p99 > tolerated) {
            limit = String.format("P99 send lag %.1f ms, over the %.1f ms that these latencies bear", p99, tolerated);
        } else if (loopLagP99Ms > tolerated) {
            limit = String.format(
                    "P99 event-loop lag %.1f ms, over the %.1f ms that these latencies bear", loopLagP99Ms, tolerated);
        }
        return new ClientHealth(p50, p99, max, loopLagP99Ms, loopLagMaxMs, busyFraction, events, limit);
    }
}
