package dpserve.bench.lab;

import dpserve.bench.lab.Bootstrap.Interval;
import dpserve.bench.lab.Plan.Combo;
import dpserve.bench.report.CsvFile;
import dpserve.bench.report.HtmlPage;
import dpserve.bench.report.HtmlTable;
import dpserve.bench.report.LineChart;
import dpserve.io.LoadReport;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/** The laboratory's results as one page and as a table for programs. */
public final class LabReport {
    private static final List<Metric> IMBALANCE = List.of(
            Metric.MOST_ABOVE_EVEN,
            Metric.RUNNING_P50,
            Metric.RUNNING_P90,
            Metric.RUNNING_P95,
            Metric.TOKENS_P50,
            Metric.TOKENS_P90,
            Metric.TOKENS_P95,
            Metric.BALANCE,
            Metric.RUNNING_STD,
            Metric.QUEUE_STD,
            Metric.KV_STD,
            Metric.BARRIER_IDLE);
    private static final List<Metric> SERVICE = List.of(
            Metric.TTFT_MEAN,
            Metric.TTFT_P99,
            Metric.TPOT_P99,
            Metric.GOODPUT,
            Metric.THROUGHPUT,
            Metric.REPORTS,
            Metric.REJECTED);
    private static final List<Metric> PAIRED =
            List.of(Metric.MOST_ABOVE_EVEN, Metric.TTFT_P99, Metric.GOODPUT, Metric.THROUGHPUT);
    private static final List<Metric> CHARTS = List.of(Metric.TTFT_P99, Metric.GOODPUT, Metric.MOST_ABOVE_EVEN);

    /** What a default must be good at. */
    private static final List<Metric> WANTED = List.of(Metric.TTFT_P99, Metric.THROUGHPUT);

    private final Results results;
    private final Plan plan;
    private final String recommended;

    /** @param recommended the policy all others are compared with */
    public LabReport(Results results, String recommended) {
        this.results = results;
        this.plan = results.plan();
        this.recommended = recommended;
    }

    /**
     * The page.
     *
     * @param facts about the run, one sentence each
     */
    public HtmlPage page(String command, List<String> facts) {
        HtmlPage page = new HtmlPage("Staleness laboratory");
        page.paragraph(
                "What late load reports cost, by dispatch policy. The production controller, policies and"
                        + " schedulers ran in virtual time: this tests the control plane, and its times are a model's, not a GPU's.");
        page.paragraph("Seeds: " + plan.seeds() + "; a point is their mean with a 95 % bootstrap interval. All policies"
                + " get the same requests at the same times for a seed, so differences are taken seed by seed.");
        page.section("Workloads")
                .bullets(plan.workloads().stream()
                        .map(w -> w.name() + ": " + w.about() + ". Topology: " + String.join(" ", w.flags()) + "; "
                                + w.profile() + ".")
                        .toList());
        page.table(workloads());
        page.section("Which policy could be the default").table(candidates()).bullets(largest());
        page.paragraph(
                "A cell counts the comparisons with other policies, at equal load, path and delay, in which P99 TTFT"
                        + " or output throughput is worse with its whole interval, and gives the largest such difference. Of many"
                        + " comparisons some few in a hundred come out so by chance.");
        for (Workload workload : plan.workloads()) {
            for (Workload.Load load : workload.loads()) {
                page.section(workload.name() + ", load " + load.name());
                for (Metric metric : plan.delaysMs().size() > 1 ? CHARTS : List.<Metric>of()) {
                    page.chart(chart(workload, load, metric));
                }
                page.table(table("Service", workload, load, SERVICE));
                page.table(table("Imbalance", workload, load, IMBALANCE));
                if (plan.policies().size() > 1) {
                    page.table(differences(workload, load));
                }
            }
        }
        return page.repeat(List.of(command), facts);
    }

    private HtmlTable workloads() {
        HtmlTable table = new HtmlTable(
                "Capacity is what ends per second under " + recommended
                        + " while more wait than can be served. Rates in" + " requests per second, limits in ms.",
                List.of("workload", "requests", "capacity", "70 %", "95 %", "good: TTFT ≤", "good: TPOT ≤"));
        for (Workload w : plan.workloads()) {
            double capacity = results.capacity(w);
            table.row(
                    w.name(),
                    Integer.toString(w.requests()),
                    number(capacity),
                    w.needsCapacity() ? number(w.loads().get(0).rateAt(capacity)) : "–",
                    w.needsCapacity() ? number(w.loads().get(1).rateAt(capacity)) : "–",
                    number(w.ttftSloMs()),
                    number(w.tpotSloMs()));
        }
        return table;
    }

    /** Policy by workload: how often another policy is better. */
    HtmlTable candidates() {
        List<String> header = new ArrayList<>(List.of("policy"));
        plan.workloads().forEach(w -> header.add(w.name()));
        HtmlTable table =
                new HtmlTable("Worse than another policy, of all comparisons, and by how much at most", header);
        for (String policy : plan.policies()) {
            List<String> cells = new ArrayList<>(List.of(policy));
            for (Workload w : plan.workloads()) {
                Results.Verdict v = results.verdict(w, policy, WANTED);
                cells.add(v.worse() + " of " + v.compared()
                        + (v.worse() == 0 ? "" : ", " + number(v.mostPercent()) + " %"));
            }
            table.row(cells);
        }
        return table;
    }

    private List<String> largest() {
        List<String> lines = new ArrayList<>();
        for (Workload w : plan.workloads()) {
            Results.Verdict v = results.verdict(w, recommended, WANTED);
            lines.add(recommended + " on " + w.name() + ": "
                    + (v.worse() == 0 ? "no worse than any" : "worst in " + v.against()));
        }
        return lines;
    }

    private LineChart chart(Workload workload, Workload.Load load, Metric metric) {
        LoadReport path = plan.paths().get(0);
        LineChart chart = new LineChart(
                        metric.label() + " against report delay (" + name(path) + ")",
                        "report delay (ms)",
                        metric.label())
                .xNames(plan.delaysMs().stream()
                        .map(d -> String.format(Locale.ROOT, "%,d", d))
                        .toList());
        if (metric == Metric.TTFT_P99) {
            chart.logY();
        }
        int n = plan.delaysMs().size();
        double[] x = new double[n];
        Arrays.setAll(x, i -> i);
        for (String policy : plan.policies()) {
            Interval[] y = new Interval[n];
            Arrays.setAll(
                    y,
                    i -> interval(
                            new Combo(
                                    workload,
                                    load,
                                    policy,
                                    path,
                                    plan.delaysMs().get(i)),
                            metric));
            chart.line(
                    policy,
                    x,
                    Arrays.stream(y).mapToDouble(Interval::mean).toArray(),
                    Arrays.stream(y).mapToDouble(Interval::low).toArray(),
                    Arrays.stream(y).mapToDouble(Interval::high).toArray());
        }
        return chart;
    }

    private Interval interval(Combo combo, Metric metric) {
        return Bootstrap.mean(results.of(combo, metric));
    }

    /** Each combination that was run, once. */
    private List<Combo> distinct(Workload workload, Workload.Load load) {
        return plan.wanted(workload, load).stream()
                .map(Combo::representative)
                .distinct()
                .toList();
    }

    private static List<String> names(Combo c) {
        boolean any = c.equals(c.representative()) && c.isAlone() && c.path() == LoadReport.PIGGYBACK;
        boolean none = c.path() == LoadReport.ACCOUNTING;
        return List.of(c.policy(), any ? "any" : name(c.path()), any || none ? "any" : Integer.toString(c.delayMs()));
    }

    private HtmlTable table(String caption, Workload workload, Workload.Load load, List<Metric> metrics) {
        List<String> header = new ArrayList<>(List.of("policy", "path", "delay (ms)"));
        metrics.forEach(m -> header.add(m.label()));
        HtmlTable table = new HtmlTable(caption + ", means of the seeds", header);
        for (Combo combo : distinct(workload, load)) {
            List<String> cells = new ArrayList<>(names(combo));
            metrics.forEach(m -> cells.add(number(interval(combo, m).mean())));
            table.row(cells);
        }
        return table;
    }

    private HtmlTable differences(Workload workload, Workload.Load load) {
        List<String> header = new ArrayList<>(List.of("policy", "path", "delay (ms)"));
        PAIRED.forEach(m -> header.add(m.label()));
        HtmlTable table =
                new HtmlTable("Difference to " + recommended + " (same path and delay), paired by seed", header);
        for (Combo combo : distinct(workload, load)) {
            Combo own = new Combo(workload, load, recommended, combo.path(), combo.delayMs());
            if (!combo.policy().equals(recommended)) {
                List<String> cells = new ArrayList<>(names(combo));
                for (Metric m : PAIRED) {
                    Interval d = Bootstrap.difference(results.of(combo, m), results.of(own, m));
                    cells.add(signed(d.mean()) + " [" + signed(d.low()) + ", " + signed(d.high()) + "]");
                }
                table.row(cells);
            }
        }
        return table;
    }

    /** One line for each run. */
    public CsvFile csv() {
        List<String> header =
                new ArrayList<>(List.of("workload", "load", "policy", "load_report", "delay_ms", "seed_number"));
        for (Metric m : Metric.values()) {
            header.add(m.name().toLowerCase(Locale.ROOT));
        }
        CsvFile csv = new CsvFile(header);
        for (Combo c : plan.toRun()) {
            for (int seed = 0; seed < plan.seeds(); seed++) {
                List<Object> cells = new ArrayList<>(List.of(
                        c.workload().name(), c.load().name(), c.policy(), name(c.path()), c.delayMs(), seed + 1));
                for (Metric m : Metric.values()) {
                    cells.add(results.of(c, m)[seed]);
                }
                csv.row(cells.toArray());
            }
        }
        return csv;
    }

    private static String name(LoadReport path) {
        return path.name().toLowerCase(Locale.ROOT);
    }

    private static String number(double value) {
        if (!Double.isFinite(value)) {
            return "–";
        }
        return String.format(
                Locale.ROOT, Math.abs(value) >= 100 ? "%,.0f" : Math.abs(value) >= 10 ? "%.1f" : "%.2f", value);
    }

    private static String signed(double value) {
        return (value > 0 ? "+" : "") + number(value).replaceAll("^-0\\.00$", "0.00");
    }
}
