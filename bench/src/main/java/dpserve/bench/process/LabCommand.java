package dpserve.bench.process;

import dpserve.bench.lab.LabReport;
import dpserve.bench.lab.Metric;
import dpserve.bench.lab.Plan;
import dpserve.bench.lab.Results;
import dpserve.bench.lab.Workload;
import dpserve.bench.lab.Workloads;
import dpserve.bench.sim.SimResult;
import dpserve.controller.policy.Policies;
import dpserve.io.LoadReport;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** The staleness laboratory: policies, report delays, load paths and workloads in all combinations, one report. */
@Command(
        name = "simulate --lab",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        abbreviateSynopsis = true,
        usageHelpWidth = 120,
        description = "Simulates dispatch policies under late load reports and writes one HTML page and a CSV.")
public final class LabCommand implements Callable<Integer> {
    private static final List<String> SHORT_POLICIES =
            List.of("round_robin", "shortest_queue", "total_requests", "power_of_two", "least_requests", "least_work");
    private static final List<Integer> SHORT_DELAYS_MS = List.of(0, 50, 500, 2000);
    private static final List<String> SHORT_WORKLOADS = List.of(Workloads.CONVERSATION, Workloads.CODE);
    private static final List<Integer> ALL_DELAYS_MS = List.of(0, 50, 100, 500, 1000, 2000);

    /** auto is round_robin, and so is follow_bootstrap_room without PD disaggregation. */
    private static final List<String> SAME_AS_ROUND_ROBIN = List.of(Policies.DEFAULT_METHOD, "follow_bootstrap_room");

    /** Seed of the runs that measure capacity, far from those of the experiment. */
    private static final long CAPACITY_SEED = 1000;

    @Option(names = "--lab", description = "This command.")
    private boolean lab;

    @Option(names = "--full", description = "All policies, delays, load paths and workloads, unless named.")
    private boolean full;

    @Option(names = "--policies", split = ",", description = "Policies, comma separated (default: six of them).")
    private List<String> policies;

    @Option(names = "--delays-ms", split = ",", description = "Report delays, ms (default: 0,50,500,2000).")
    private List<Integer> delaysMs;

    @Option(names = "--load-reports", split = ",", description = "Load paths (default: piggyback).")
    private List<LoadReport> paths;

    @Option(
            names = "--workloads",
            split = ",",
            description =
                    "Of pr_11469, azure_conversation, azure_code, mooncake, pressure_25142 (default: the two Azure ones).")
    private List<String> workloads;

    @Option(
            names = "--trace",
            description =
                    "A trace file for a workload, as azure_code=FILE; without it its lengths and gaps are drawn from"
                            + " the trace's quantiles.")
    private Map<String, String> traces = new HashMap<>();

    @Option(names = "--seeds", defaultValue = "10", description = "Number of seeds (default: ${DEFAULT-VALUE}).")
    private int seeds;

    @Option(names = "--first-seed", defaultValue = "1", description = "The first of them (default: ${DEFAULT-VALUE}).")
    private long firstSeed;

    @Option(names = "--num-prompts", description = "Requests of each run (default: the workload's own number).")
    private Integer requests;

    @Option(
            names = "--recommended",
            defaultValue = "least_work",
            description = "The policy all others are compared with (default: ${DEFAULT-VALUE}).")
    private String recommended;

    @Option(names = "--threads", defaultValue = "2", description = "Runs at a time (default: ${DEFAULT-VALUE}).")
    private int threads;

    @Option(
            names = "--output",
            defaultValue = "lab.html",
            description = "The page; the CSV stands beside it (default: ${DEFAULT-VALUE}).")
    private Path output;

    @Override
    public Integer call() throws IOException, InterruptedException {
        long start = System.nanoTime();
        List<Workload> chosen = chosenWorkloads();
        List<String> chosenPolicies = chosenPolicies();
        Map<String, Double> capacities = new LinkedHashMap<>();
        Map<String, Double> secondsPerRun = new HashMap<>();
        List<Callable<double[]>> calibrations = new ArrayList<>();
        for (Workload w : chosen) {
            calibrations.add(() -> {
                long from = System.nanoTime();
                double capacity = w.needsCapacity() ? w.capacity(CAPACITY_SEED, recommended) : Double.NaN;
                return new double[] {capacity, (System.nanoTime() - from) / 1e9};
            });
        }
        List<double[]> calibrated = ParallelRuns.of(calibrations, threads, "capacity");
        for (int i = 0; i < chosen.size(); i++) {
            capacities.put(chosen.get(i).name(), calibrated.get(i)[0]);
            secondsPerRun.put(chosen.get(i).name(), calibrated.get(i)[1]);
        }
        Plan plan = new Plan(chosen, chosenPolicies, chosenPaths(), chosenDelays(), seeds);
        List<Plan.Combo> combos = plan.toRun();
        double seconds = combos.stream()
                        .mapToDouble(c -> secondsPerRun.get(c.workload().name()) * seeds)
                        .sum()
                / threads;
        System.err.printf("%d runs, about %s%n", combos.size() * seeds, ParallelRuns.duration(seconds));
        Results results = run(plan, combos, capacities);
        LabReport report = new LabReport(results, recommended);
        Path csv = output.resolveSibling(output.getFileName().toString().replaceAll("\\.html$", "") + ".csv");
        String took = ParallelRuns.duration((System.nanoTime() - start) / 1e9);
        report.page(
                        command(),
                        List.of(
                                "Seeds " + firstSeed + " to " + (firstSeed + seeds - 1) + "; " + combos.size() * seeds
                                        + " runs took " + took + " on " + threads + " threads.",
                                "Every run kept its promises: each request ended once with its tokens."))
                .write(output);
        report.csv().write(csv);
        System.out.println(output + " and " + csv + " after " + took);
        return 0;
    }

    private Results run(Plan plan, List<Plan.Combo> combos, Map<String, Double> capacities)
            throws InterruptedException {
        List<Callable<double[]>> runs = new ArrayList<>();
        for (Plan.Combo c : combos) {
            for (int seed = 0; seed < seeds; seed++) {
                long s = firstSeed + seed;
                runs.add(() -> {
                    SimResult result = c.run(capacities.get(c.workload().name()), s);
                    if (!result.broken().isEmpty()) {
                        throw new IllegalStateException("seed " + s + ", " + c.policy() + " on "
                                + c.workload().name() + ": " + result.broken());
                    }
                    return Metric.read(result, c.workload());
                });
            }
        }
        List<double[]> values = ParallelRuns.of(runs, threads, "laboratory");
        Results results = new Results(plan, capacities);
        for (int i = 0; i < values.size(); i++) {
            results.add(combos.get(i / seeds), i % seeds, values.get(i));
        }
        return results;
    }

    private List<Workload> chosenWorkloads() throws IOException {
        List<Workload> all = Workloads.all(traces);
        List<String> names = all.stream().map(Workload::name).toList();
        List<String> four =
                names.stream().filter(n -> !n.equals(Workloads.PRESSURE)).toList();
        List<String> wanted = workloads != null ? workloads : full ? four : SHORT_WORKLOADS;
        Stream.concat(wanted.stream(), traces.keySet().stream()).forEach(name -> require(names, name, "--workloads"));
        return all.stream()
                .filter(w -> wanted.contains(w.name()))
                .map(w -> requests == null ? w : w.withRequests(requests))
                .toList();
    }

    private List<String> chosenPolicies() {
        List<String> all = Policies.names().stream()
                .filter(name -> !SAME_AS_ROUND_ROBIN.contains(name))
                .toList();
        List<String> wanted = new ArrayList<>(policies != null ? policies : full ? all : SHORT_POLICIES);
        wanted.forEach(name -> require(all, name, "--policies"));
        if (!wanted.contains(recommended)) {
            require(all, recommended, "--recommended");
            wanted.add(recommended);
        }
        return wanted;
    }

    private static void require(List<String> valid, String name, String flag) {
        if (!valid.contains(name)) {
            throw new IllegalArgumentException(flag + ": " + name + " is none of " + String.join(", ", valid));
        }
    }

    private List<LoadReport> chosenPaths() {
        return paths != null
                ? paths
                : full
                        ? List.of(LoadReport.PIGGYBACK, LoadReport.WATCH, LoadReport.DIRECT, LoadReport.ACCOUNTING)
                        : List.of(LoadReport.PIGGYBACK);
    }

    private List<Integer> chosenDelays() {
        return delaysMs != null ? delaysMs : full ? ALL_DELAYS_MS : SHORT_DELAYS_MS;
    }

    /** The command that gives this page again. */
    private String command() {
        List<String> words = new ArrayList<>(List.of("scripts/simulate.sh", "--lab"));
        if (full) {
            words.add("--full");
        }
        words.add("--seeds " + seeds + " --first-seed " + firstSeed);
        addList(words, "--policies", policies);
        addList(words, "--delays-ms", delaysMs);
        addList(words, "--load-reports", paths);
        addList(words, "--workloads", workloads);
        traces.forEach((name, file) ->
                words.add("--trace " + name + "=" + Path.of(file).getFileName()));
        if (requests != null) {
            words.add("--num-prompts " + requests);
        }
        words.add("--recommended " + recommended);
        return String.join(" ", words);
    }

    private static void addList(List<String> words, String flag, List<?> values) {
        if (values != null) {
            words.add(flag + " "
                    + String.join(",", values.stream().map(Object::toString).toList()));
        }
    }
}
