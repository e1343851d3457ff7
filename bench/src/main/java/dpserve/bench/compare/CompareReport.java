package dpserve.bench.compare;

import dpserve.bench.report.CsvFile;
import dpserve.bench.report.Histogram;
import dpserve.bench.report.HtmlPage;
import dpserve.bench.report.HtmlTable;
import dpserve.bench.report.LineChart;
import dpserve.bench.sim.ImbalanceMeter;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Function;
import java.util.function.ToDoubleFunction;

/** The experiment of SGLang PR #11469 with this topology: one page and one CSV of all runs. */
final class CompareReport {
    private static final int AGE_BINS = 40;

    private final List<LiveRun> runs;
    private final Map<String, SimulatedRun> simulated;
    private final boolean publishedWorkload;
    private final List<Column> columns;

    /**
     * What one source says of one run.
     *
     * @param header over it in a table for people
     * @param others figures by name, first how even the ranks were; empty if it does not tell
     */
    private record Column(
            String run, String source, String header, ToDoubleFunction<Figure> figure, Map<String, Double> others) {

        Column(String run, String source, ToDoubleFunction<Figure> figure, Map<String, Double> others) {
            this(run, source, run + ", " + source, figure, others);
        }
    }

    /**
     * @param simulated by the name of the live run it repeats
     * @param publishedWorkload whether the workload is that of the publication, so that its columns belong beside
     */
    CompareReport(List<LiveRun> runs, Map<String, SimulatedRun> simulated, boolean publishedWorkload) {
        this.runs = runs;
        this.simulated = simulated;
        this.publishedWorkload = publishedWorkload;
        this.columns = columns();
    }

    private List<Column> columns() {
        List<Column> all = new ArrayList<>();
        if (publishedWorkload) {
            all.add(new Column(
                    "watch / shortest_queue", "published", "published, polling", Figure::publishedWatch, Map.of()));
            all.add(new Column(
                    "piggyback / shortest_queue",
                    "published",
                    "published, piggyback",
                    Figure::publishedPiggyback,
                    Map.of()));
        }
        for (LiveRun run : runs) {
            Map<String, Double> others = balance(run.imbalance());
            others.put("Steps that overran", run.overrunShare());
            all.add(new Column(run.name(), "live", f -> value(f, run), others));
            SimulatedRun sim = simulated.get(run.name());
            if (sim != null) {
                all.add(new Column(
                        run.name(),
                        "simulated",
                        f -> value(f, sim),
                        balance(sim.result().imbalance())));
            }
        }
        return all;
    }

    /** Why the figures may be the machine's; empty if they are not. */
    List<String> limits() {
        List<String> limits = new ArrayList<>();
        for (LiveRun run : runs) {
            run.limits().forEach(limit -> limits.add(run.name() + ": " + limit));
        }
        return limits;
    }

    HtmlPage page(String workload, List<String> commands, List<String> facts) {
        HtmlPage page = new HtmlPage("Load paths and policies compared");
        if (!limits().isEmpty()) {
            page.limitedByThisMachine(limits());
        }
        page.paragraph(workload);
        page.paragraph(
                "Live columns were measured on separate processes over sockets, with a simulated engine: they test the"
                        + " control plane, not a GPU. All times are modelled time (wall time / time scale)."
                        + (simulated.isEmpty() ? "" : " Simulated columns are the same classes in virtual time."));
        if (publishedWorkload) {
            page.paragraph(
                    "Published columns are those of SGLang PR #11469, measured there on GPUs; they are quoted, not"
                            + " repeated.");
        }
        page.section("Result").table(figures());
        if (limits().isEmpty()) {
            conclusion(page);
        }
        page.section("Balance")
                .table(balance())
                .paragraph("Sampled at the end of every step while more requests were to come, by the ranks' own count."
                        + " max/min takes an empty rank as holding one. Most above even: by how much a rank held more than its"
                        + " share, rounded up.");
        page.section("Where the time went").table(stages());
        page.section("Running requests per rank");
        runs.forEach(run -> page.chart(running(run)));
        page.section("Age of the load at dispatch")
                .paragraph("How old the newest report of the chosen rank was when a"
                        + " request was sent to it, since the report was sampled.");
        if (ages().isEmpty()) {
            page.paragraph("No run had reports.");
        } else {
            page.chart(Histogram.of("Load age at dispatch", "age (ms, modelled)", ages(), AGE_BINS));
        }
        if (!simulated.isEmpty()) {
            page.section("Live against simulated")
                    .table(error())
                    .paragraph("Error: simulated / live - 1. The simulator has"
                            + " no time of its own for processes, sockets and the client.");
        }
        return page.repeat(commands, facts);
    }

    /** One line for each figure of each column. */
    CsvFile csv() {
        CsvFile csv = new CsvFile(List.of("run", "source", "figure", "value"));
        for (Figure figure : Figure.values()) {
            columns.forEach(c -> csv.row(c.run, c.source, figure.label(), c.figure.applyAsDouble(figure)));
        }
        columns.forEach(c -> c.others.forEach((name, value) -> csv.row(c.run, c.source, name, value)));
        return csv;
    }

    private static double value(Figure figure, LiveRun run) {
        return figure.modelled(run.result(), run.settings().timeScale());
    }

    private static double value(Figure figure, SimulatedRun run) {
        return figure.simulated(run.figures());
    }

    private HtmlTable figures() {
        HtmlTable table = new HtmlTable("Benchmark result", row("Figure", columns, Column::header));
        for (Figure figure : Figure.values()) {
            table.row(row(figure.label(), columns, c -> number(c.figure.applyAsDouble(figure))));
        }
        return table;
    }

    private void conclusion(HtmlPage page) {
        LiveRun base = runs.get(0);
        List<String> sentences = new ArrayList<>();
        for (LiveRun run : runs.subList(1, runs.size())) {
            double gain = value(Figure.OUTPUT_THROUGHPUT, run) / value(Figure.OUTPUT_THROUGHPUT, base) - 1;
            sentences.add(String.format(
                    Locale.ROOT,
                    "%s against %s: output throughput %+.1f %%, P99 TTFT %s ms instead of %s ms, most requests above the"
                            + " even share %d instead of %d.",
                    run.name(),
                    base.name(),
                    gain * 100,
                    number(value(Figure.P99_TTFT, run)),
                    number(value(Figure.P99_TTFT, base)),
                    run.imbalance().mostAboveEven(),
                    base.imbalance().mostAboveEven()));
        }
        if (!sentences.isEmpty()) {
            page.bullets(sentences)
                    .paragraph("One run each, so a difference of a percent or two is within what repeating"
                            + " would change.");
        }
    }

    private HtmlTable balance() {
        List<Column> own = columns.stream().filter(c -> !c.others.isEmpty()).toList();
        HtmlTable table = new HtmlTable("How even the ranks were", row("Figure", own, Column::header));
        for (String name : balance(runs.get(0).imbalance()).keySet()) {
            table.row(row(name, own, c -> number(c.others.get(name))));
        }
        return table;
    }

    private static Map<String, Double> balance(ImbalanceMeter.Figures f) {
        Map<String, Double> rows = new LinkedHashMap<>();
        rows.put("Most requests held by a rank", (double) f.mostHeld());
        rows.put("Most above the even share", (double) f.mostAboveEven());
        rows.put("Running max/min, p50", f.requestsRatio().median());
        rows.put("Running max/min, p90", f.requestsRatio().p90());
        rows.put("Running max/min, p95", f.requestsRatio().p95());
        rows.put("Tokens max/min, p50", f.tokensRatio().median());
        rows.put("Tokens max/min, p90", f.tokensRatio().p90());
        rows.put("Tokens max/min, p95", f.tokensRatio().p95());
        rows.put("Balance ratio (mean/max tokens), mean", f.balance().mean());
        rows.put("Std of running requests across ranks", f.requestsStd());
        rows.put("Std of queue across ranks", f.queueStd());
        rows.put("Std of KV tokens across ranks", f.usedStd());
        rows.put("Barrier idle fraction", f.barrierIdle());
        return rows;
    }

    private HtmlTable stages() {
        List<StageTimes> times = runs.stream()
                .map(run -> StageTimes.of(run.result(), run.settings().timeScale()))
                .toList();
        HtmlTable table = new HtmlTable(
                "Stages of a request, by the server's stamps", row("Mean of a request (ms)", runs, LiveRun::name));
        for (String stage : times.get(0).meanMs().keySet()) {
            table.row(row(stage, times, t -> number(t.meanMs().getOrDefault(stage, Double.NaN))));
        }
        table.row(row("wall time at the client", times, t -> number(t.wallMs())));
        return table.row(row("explained by the stages (%)", times, t -> number(t.explained() * 100)));
    }

    private static <T> List<String> row(String name, List<T> columns, Function<T, String> cell) {
        List<String> row = new ArrayList<>(List.of(name));
        columns.forEach(c -> row.add(cell.apply(c)));
        return row;
    }

    private LineChart running(LiveRun run) {
        LineChart chart = new LineChart(run.name(), "modelled time (s)", "running requests");
        double from = run.steps().firstS();
        for (int r = 0; r < run.steps().ranks(); r++) {
            List<StepRows.Row> rows = run.steps().of(r);
            double[] x = new double[rows.size()];
            double[] y = new double[rows.size()];
            for (int i = 0; i < x.length; i++) {
                x[i] = (rows.get(i).endS() - from) / run.settings().timeScale();
                y[i] = rows.get(i).running();
            }
            chart.steps("rank " + r, x, y);
        }
        return chart;
    }

    private Map<String, double[]> ages() {
        Map<String, double[]> ages = new LinkedHashMap<>();
        for (LiveRun run : runs) {
            if (run.loadAgesMs().length > 0) {
                ages.put(run.name(), run.loadAgesMs());
            }
        }
        return ages;
    }

    private HtmlTable error() {
        HtmlTable table = new HtmlTable(
                "Error of the simulator", List.of("Run", "Duration", "Output throughput", "Mean TTFT", "Mean TPOT"));
        for (LiveRun run : runs) {
            SimulatedRun sim = simulated.get(run.name());
            if (sim != null) {
                List<String> row = new ArrayList<>(List.of(run.name()));
                for (Figure f :
                        List.of(Figure.DURATION, Figure.OUTPUT_THROUGHPUT, Figure.MEAN_TTFT, Figure.MEAN_TPOT)) {
                    row.add(String.format(Locale.ROOT, "%+.1f %%", (value(f, sim) / value(f, run) - 1) * 100));
                }
                table.row(row);
            }
        }
        return table;
    }

    private static String number(double value) {
        return Double.isNaN(value) ? "-" : String.format(Locale.ROOT, "%.2f", value);
    }
}
