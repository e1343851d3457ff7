package dpserve.bench.sim;

import dpserve.bench.metrics.Distribution;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.function.ToDoubleFunction;
import java.util.stream.Stream;

/**
 * The figures of one simulated run. All times are modelled time, never a GPU's.
 *
 * @param failed requests that were refused or lost with their rank
 * @param completed requests that ended whole
 * @param durationS modelled seconds from the start to the last end
 * @param ttftMs time to the first token
 * @param tpotMs time per output token after the first
 * @param imbalance how even the ranks were
 * @param reports load reports that the controller handled
 * @param loadAgeMs how long before a dispatch the chosen rank's newest load was sampled
 * @param steadyThroughput requests that ended per second between the first fifth and the last: neither filling up nor running dry
 * @param latenciesMs TTFT and TPOT of each request that ended whole
 * @param resumed attempts that went on where one stood whose rank died
 * @param broken promises that were broken, in words; empty if all were kept
 * @param events events in the log
 * @param hash SHA-256 of the event log
 */
public record SimResult(
        SimOptions options,
        long seed,
        int failed,
        int completed,
        long outputTokens,
        double durationS,
        Distribution ttftMs,
        Distribution tpotMs,
        Distribution e2eMs,
        ImbalanceMeter.Figures imbalance,
        long reports,
        Distribution loadAgeMs,
        double steadyThroughput,
        double[][] latenciesMs,
        int resumed,
        List<String> broken,
        long events,
        String hash) {
    private static final double NS_PER_S = 1e9;
    private static final double MS = 1e3;

    static SimResult of(
            SimOptions options,
            long seed,
            SimRequest[] requests,
            long lastEndNs,
            ImbalanceMeter.Figures imbalance,
            ReportChannel reports,
            int resumed,
            List<String> broken,
            EventLog log) {
        int completed = (int) ok(requests).count();
        return new SimResult(
                options,
                seed,
                requests.length - completed,
                completed,
                ok(requests).mapToLong(r -> r.tokens).sum(),
                lastEndNs / NS_PER_S,
                millis(ok(requests), SimResult::ttftS),
                millis(ok(requests).filter(r -> r.tokens > 1), SimResult::tpotS),
                millis(ok(requests), r -> (r.endNs - r.startNs) / NS_PER_S),
                imbalance,
                reports.applied(),
                reports.agesMs(),
                steady(requests),
                ok(requests)
                        .map(r -> new double[] {ttftS(r) * MS, tpotS(r) * MS})
                        .toArray(double[][]::new),
                resumed,
                broken,
                log.events(),
                log.hash());
    }

    private static Stream<SimRequest> ok(SimRequest[] requests) {
        return Arrays.stream(requests).filter(r -> !r.failed);
    }

    private static Distribution millis(Stream<SimRequest> requests, ToDoubleFunction<SimRequest> seconds) {
        return Distribution.of(requests.mapToDouble(seconds).toArray(), MS);
    }

    private static double ttftS(SimRequest r) {
        return (r.firstTokenNs - r.startNs) / NS_PER_S;
    }

    private static double tpotS(SimRequest r) {
        return r.tokens < 2 ? 0 : (r.lastTokenNs - r.firstTokenNs) / NS_PER_S / (r.tokens - 1);
    }

    private static double steady(SimRequest[] requests) {
        long[] ends = ok(requests).mapToLong(r -> r.endNs).sorted().toArray();
        int from = ends.length / 5;
        int to = ends.length * 4 / 5;
        return to <= from ? 0 : (to - from) * NS_PER_S / Math.max(1, ends[to] - ends[from]);
    }

    /** Output tokens per second. */
    public double outputThroughput() {
        return outputTokens / durationS;
    }

    /** Requests per second that met both objectives, milliseconds. */
    public double goodput(double mostTtftMs, double mostTpotMs) {
        return Arrays.stream(latenciesMs)
                        .filter(l -> l[0] <= mostTtftMs && l[1] <= mostTpotMs)
                        .count()
                / durationS;
    }

    /** A table for people. */
    public String table() {
        StringBuilder t = new StringBuilder();
        t.append("============== Simulated Result (modelled time) ==============\n");
        row(
                t,
                "Policy / load report",
                options.method + " / " + options.loadReport.name().toLowerCase(Locale.ROOT));
        row(t, "Ranks / report delay (ms) / seed", options.dpSize + " / " + options.reportDelayMs + " / " + seed);
        row(t, "Successful / failed requests", completed + " / " + failed);
        row(t, "Attempts resumed after a rank's death", Integer.toString(resumed));
        row(t, "Duration (s)", number(durationS));
        row(t, "Request throughput (req/s)", number(completed / durationS));
        row(t, "Output token throughput (tok/s)", number(outputThroughput()));
        row(t, "TTFT mean / median / P99 (ms)", three(ttftMs));
        row(t, "TPOT mean / median / P99 (ms)", three(tpotMs));
        row(t, "E2E mean / median / P99 (ms)", three(e2eMs));
        row(t, "Most requests held by a rank / above even", imbalance.mostHeld() + " / " + imbalance.mostAboveEven());
        row(t, "Running max/min p50 / p90 / p95", spread(imbalance.requestsRatio()));
        row(t, "Tokens max/min p50 / p90 / p95", spread(imbalance.tokensRatio()));
        row(t, "Balance ratio mean/max tokens, mean", number(imbalance.balance().mean()));
        row(
                t,
                "Std of running / queue / KV across ranks",
                number(imbalance.requestsStd()) + " / " + number(imbalance.queueStd()) + " / "
                        + number(imbalance.usedStd()));
        row(t, "Barrier idle fraction", number(imbalance.barrierIdle()));
        row(t, "Load age at dispatch median / P99 (ms)", number(loadAgeMs.median()) + " / " + number(loadAgeMs.p99()));
        row(t, "Reports per dispatch", number(reports / (double) Math.max(1, completed + failed)));
        row(t, "Events / SHA-256 of the event log", events + " / " + hash.substring(0, 16));
        row(t, "Promises", broken.isEmpty() ? "all kept" : "BROKEN: " + String.join("; ", broken));
        return t.append("==============================================================\n")
                .toString();
    }

    private static void row(StringBuilder t, String name, String value) {
        t.append(String.format(Locale.ROOT, "%-42s %s%n", name + ":", value));
    }

    private static String three(Distribution d) {
        return number(d.mean()) + " / " + number(d.median()) + " / " + number(d.p99());
    }

    private static String spread(Distribution d) {
        return number(d.median()) + " / " + number(d.p90()) + " / " + number(d.p95());
    }

    private static String number(double value) {
        return String.format(Locale.ROOT, "%.2f", value);
    }
}
