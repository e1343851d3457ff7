package dpserve.bench.compare;

import com.fasterxml.jackson.databind.JsonNode;
import dpserve.bench.dataset.DatasetOptions;
import dpserve.bench.dataset.DatasetRow;
import dpserve.bench.dataset.Datasets;
import dpserve.bench.dataset.PromptTokens;
import dpserve.bench.load.Arrivals;
import dpserve.bench.load.LoadOptions;
import dpserve.tokenizer.JtokkitVocabulary;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import picocli.CommandLine;

/** Reads the runs, repeats each in virtual time and writes the report. */
public final class Comparison {
    private Comparison() {}

    /**
     * Writes report.html and report.csv.
     *
     * @param folders one for each run
     * @param command the command that repeats all
     * @return a table for the terminal
     */
    public static String write(List<Path> folders, Path outputDir, String command) throws IOException {
        List<LiveRun> runs = new ArrayList<>();
        for (Path folder : folders) {
            runs.add(LiveRun.read(folder));
        }
        Map<String, SimulatedRun> simulated = new LinkedHashMap<>();
        PromptTokens tokens = new PromptTokens(new JtokkitVocabulary());
        for (LiveRun run : runs) {
            if (!run.settings().pdSeparated()) { // the simulator knows no pairs of servers
                simulated.put(run.name(), simulate(run, tokens));
            }
        }
        JsonNode first = runs.get(0).result();
        boolean published = isPublished(first, runs.get(0).settings().timeScale());
        CompareReport report = new CompareReport(runs, simulated, published);
        List<String> commands = new ArrayList<>(List.of(command));
        List<String> facts = new ArrayList<>();
        facts.add("Seed " + runs.get(0).settings().seed() + " for prompts, lengths and arrivals; time scale "
                + runs.get(0).settings().timeScale() + "; one run each, in the order of the columns.");
        for (LiveRun run : runs) {
            commands.add(run.settings().command());
            facts.add(String.format(
                    Locale.ROOT,
                    "%s: %d requests completed, %.2f %% of the steps overran, %s",
                    run.name(),
                    run.result().path("completed").asInt(),
                    run.overrunShare() * 100,
                    verified(run.result())));
        }
        report.page(workload(first, runs.get(0)), commands, facts).write(outputDir.resolve("report.html"));
        report.csv().write(outputDir.resolve("report.csv"));
        return terminal(runs, report);
    }

    private static String verified(JsonNode result) {
        JsonNode v = result.path("verify");
        return v.isMissingNode() || v.isNull()
                ? "replies not verified"
                : v.path("correct").asInt() + " replies exactly as expected";
    }

    /** The workload of field notes and PR #11469, at whatever time scale. */
    private static boolean isPublished(JsonNode r, double timeScale) {
        return r.path("completed").asInt() == 400
                && r.path("random_input_len").asInt() == 500
                && r.path("random_output_len").asInt() == 1500
                && r.path("random_range_ratio").asDouble() == 1
                && r.path("max_concurrency").asInt() == 100
                && Math.abs(r.path("request_rate").asDouble() * timeScale - 4) < 1e-6;
    }

    private static String workload(JsonNode r, LiveRun run) {
        return String.format(
                Locale.ROOT,
                "Workload: %d requests, %s tokens in, %s out (range ratio %s), %s requests a modelled second, at most %s in"
                        + " flight; %d ranks that step %s%s.",
                r.path("completed").asInt(),
                r.path("random_input_len").asText(),
                r.path("random_output_len").asText(),
                r.path("random_range_ratio").asText(),
                rate(r, run.settings().timeScale()),
                r.path("max_concurrency").asText(),
                run.steps().ranks(),
                run.settings().dpAttention() ? "together (DP attention)" : "independently",
                run.settings().pdSeparated()
                        ? ", on a decode server that gets its KV from a prefill server of as many ranks; what is shown of"
                                + " ranks is the decode server's"
                        : "");
    }

    private static String rate(JsonNode r, double timeScale) {
        return r.path("request_rate").isNumber()
                ? String.format(Locale.ROOT, "%.4g", r.path("request_rate").asDouble() * timeScale)
                : "all";
    }

    private static SimulatedRun simulate(LiveRun run, PromptTokens tokens) throws IOException {
        JsonNode r = run.result();
        DatasetOptions dataset = CommandLine.populateCommand(
                new DatasetOptions(),
                "--dataset-name",
                r.path("dataset_name").asText(),
                "--num-prompts",
                Integer.toString(r.path("input_lens").size()),
                "--random-input-len",
                r.path("random_input_len").asText(),
                "--random-output-len",
                r.path("random_output_len").asText(),
                "--random-range-ratio",
                r.path("random_range_ratio").asText());
        List<String> load = new ArrayList<>();
        if (r.path("request_rate").isNumber()) {
            double rate = r.path("request_rate").asDouble() * run.settings().timeScale();
            load.addAll(List.of("--request-rate", Double.toString(rate)));
        }
        if (r.path("max_concurrency").isNumber()) {
            load.addAll(List.of("--max-concurrency", r.path("max_concurrency").asText()));
        }
        LoadOptions options = CommandLine.populateCommand(new LoadOptions(), load.toArray(String[]::new));
        List<DatasetRow> rows = Datasets.load(dataset, tokens, run.settings().seed());
        long[] arrivals = Arrivals.of(options, rows, run.settings().seed());
        return SimulatedRun.of(run.settings(), run.steps().ranks(), rows, arrivals, options.maxConcurrency, tokens);
    }

    private static String terminal(List<LiveRun> runs, CompareReport report) {
        StringBuilder out = new StringBuilder(String.format(
                Locale.ROOT,
                "%-40s %12s %12s %12s %10s %10s %9s%n",
                "Modelled time",
                "tok/s",
                "P99 TTFT ms",
                "P99 TPOT ms",
                "most held",
                "barrier %",
                "overran"));
        for (LiveRun run : runs) {
            double scale = run.settings().timeScale();
            out.append(String.format(
                    Locale.ROOT,
                    "%-40s %12.1f %12.1f %12.2f %10d %10.2f %7.2f %%%n",
                    run.name(),
                    Figure.OUTPUT_THROUGHPUT.modelled(run.result(), scale),
                    Figure.P99_TTFT.modelled(run.result(), scale),
                    Figure.P99_TPOT.modelled(run.result(), scale),
                    run.imbalance().mostHeld(),
                    run.imbalance().barrierIdle() * 100,
                    run.overrunShare() * 100));
        }
        report.limits()
                .forEach(limit ->
                        out.append("LIMITED BY THIS MACHINE: ").append(limit).append(System.lineSeparator()));
        return out.toString();
    }
}
