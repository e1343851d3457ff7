package dpserve.bench.metrics;

import java.util.Locale;

/** Writes the result table row for row as upstream prints it, so that what reads one reads the other. */
public final class ResultTable {
    private static final int WIDTH = 50;

    private final StringBuilder out = new StringBuilder();

    private ResultTable() {}

    /**
     * @param requestRate as {@link #rate} writes it, or "trace"
     * @param maxConcurrency null for no limit
     * @param acceptLength of speculative decoding; null leaves the row out, as do the two that follow
     */
    public static String format(
            String backend,
            String requestRate,
            Integer maxConcurrency,
            BenchMetrics m,
            Double acceptLength,
            Goodput goodput,
            CacheReport cache) {
        ResultTable t = new ResultTable();
        t.head(" Serving Benchmark Result ", '=');
        t.row("Backend:", backend);
        t.row("Traffic request rate:", requestRate);
        t.row("Max request concurrency:", maxConcurrency == null ? "not set" : maxConcurrency.toString());
        t.row("Successful requests:", m.completed());
        t.row("Benchmark duration (s):", m.durationS());
        t.row("Total input tokens:", m.totalInput());
        t.row("Total input text tokens:", m.totalInput());
        t.row("Total generated tokens:", m.totalOutput());
        t.row("Total generated tokens (retokenized):", m.totalOutputRetokenized());
        t.row("Request throughput (req/s):", m.requestThroughput());
        t.row("Input token throughput (tok/s):", m.inputThroughput());
        t.row("Output token throughput (tok/s):", m.outputThroughput());
        t.row("Peak output token throughput (tok/s):", m.peakOutputTokensPerS());
        t.row("Peak concurrent requests:", m.peakConcurrentRequests());
        t.row("Total token throughput (tok/s):", m.totalThroughput());
        t.row("Concurrency:", m.concurrency());
        if (acceptLength != null) {
            t.row("Accept length:", acceptLength);
        }
        if (goodput != null) {
            t.goodput(goodput);
        }
        t.latency("End-to-End Latency", "E2E Latency", m.e2eMs());
        t.latency("Time to First Token", "TTFT", m.ttftMs());
        t.latency("Time per Output Token (excl. 1st token)", "TPOT", m.tpotMs());
        t.latency("Inter-Token Latency", "ITL", m.itlMs());
        t.row("Max ITL (ms):", m.itlMs().max());
        if (cache != null) {
            t.head("Cache Hit Details", '-');
            t.row("Total prompt tokens:", cache.promptTokens());
            t.row("Total cached tokens:", cache.cachedTokens());
            t.out.append(String.format(Locale.ROOT, "%-40s %.1f%%%n", "Cache hit rate:", cache.hitRatePercent()));
        }
        t.out.append("=".repeat(WIDTH)).append(System.lineSeparator());
        return t.out.toString();
    }

    /** A rate as Python prints a float: inf, 4.0, 0.5. */
    public static String rate(double requestsPerS) {
        return Double.isInfinite(requestsPerS) ? "inf" : Double.toString(requestsPerS);
    }

    private void goodput(Goodput g) {
        StringBuilder slos = new StringBuilder();
        g.slosMs()
                .forEach((name, ms) -> slos.append(slos.isEmpty() ? "" : " ")
                        .append(name)
                        .append(':')
                        .append(ms == Math.rint(ms) ? String.format(Locale.ROOT, "%.0f", ms) : ms.toString()));
        head("Goodput", '-');
        row("SLOs (ms):", slos.toString());
        row("Request goodput (req/s):", g.requestGoodput());
        row("SLO attainment (%):", g.attainment() * 100);
        g.attainmentByMetric()
                .forEach((name, share) -> row(name.toUpperCase(Locale.ROOT) + " SLO attainment (%):", share * 100));
    }

    private void latency(String title, String name, Distribution d) {
        head(title, '-');
        row("Mean " + name + " (ms):", d.mean());
        row("Median " + name + " (ms):", d.median());
        row("P90 " + name + " (ms):", d.p90());
        row("P95 " + name + " (ms):", d.p95());
        row("P99 " + name + " (ms):", d.p99());
    }

    private void head(String title, char fill) {
        int left = (WIDTH - title.length()) / 2;
        String bar = String.valueOf(fill);
        out.append(bar.repeat(left))
                .append(title)
                .append(bar.repeat(WIDTH - title.length() - left))
                .append(System.lineSeparator());
    }

    private void row(String label, double value) {
        row(label, String.format(Locale.ROOT, "%.2f", value));
    }

    private void row(String label, long value) {
        row(label, Long.toString(value));
    }

    private void row(String label, String value) {
        out.append(String.format("%-40s %-10s%n", label, value));
    }
}
