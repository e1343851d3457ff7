package dpserve.bench.jmh;

import dpserve.controller.policy.Policies;
import java.util.Collection;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import org.openjdk.jmh.profile.GCProfiler;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;
import org.openjdk.jmh.runner.options.VerboseMode;

/** Runs {@link PolicyDecision} for every policy and prints one table. The command behind scripts/dev/bench-policies.sh. */
public final class BenchPolicies {
    private static final String[] RANKS = {"8", "64", "1024"};

    /** The targets: what a decision over 64 ranks may take and allocate. */
    private static final double TARGET_NS = 1000;

    /** None, that is: the harness's own objects, divided by the number of decisions, show as a fraction of a byte. */
    private static final double TARGET_BYTES = 0.5;

    private static final String TARGET_RANKS = "64";
    private static final String ALLOCATED = "gc.alloc.rate.norm";

    private BenchPolicies() {}

    /** @param args milliseconds of each measurement, then the policies (none: all) */
    public static void main(String[] args) throws RunnerException {
        TimeValue time = TimeValue.milliseconds(Long.parseLong(args[0]));
        String[] methods = Policies.names().stream()
                .filter(m -> !m.equals(Policies.DEFAULT_METHOD))
                .toArray(String[]::new);
        if (args.length > 1) {
            methods = java.util.Arrays.copyOfRange(args, 1, args.length);
        }
        Collection<RunResult> results = new Runner(new OptionsBuilder()
                        .include(PolicyDecision.class.getSimpleName())
                        .param("method", methods)
                        .param("ranks", RANKS)
                        .forks(1)
                        .warmupIterations(3)
                        .warmupTime(time)
                        .measurementIterations(5)
                        .measurementTime(time)
                        .addProfiler(GCProfiler.class)
                        .jvmArgs("-XX:+UseSerialGC", "-Xmx512m")
                        .verbosity(VerboseMode.SILENT)
                        .build())
                .run();
        System.out.println("ns for one decision (and with the accounts' part), bytes allocated by it");
        System.out.println("| policy | 8 ranks | 64 ranks | 1,024 ranks | bytes at 64 |");
        System.out.println("| --- | --- | --- | --- | --- |");
        boolean met = true;
        for (String method : methods) {
            Map<String, Double> ns = new TreeMap<>();
            Map<String, Double> bytes = new TreeMap<>();
            for (RunResult r : results) {
                if (r.getParams().getParam("method").equals(method)) {
                    String ranks = r.getParams().getParam("ranks");
                    String key = r.getPrimaryResult().getLabel() + ranks;
                    ns.put(key, r.getPrimaryResult().getScore());
                    if (ranks.equals(TARGET_RANKS)) {
                        bytes.put(
                                r.getPrimaryResult().getLabel(),
                                r.getSecondaryResults().get(ALLOCATED).getScore());
                    }
                }
            }
            System.out.printf(
                    Locale.ROOT,
                    "| %s | %s | %s | %s | %.0f (%.0f) |%n",
                    method,
                    cell(ns, RANKS[0]),
                    cell(ns, RANKS[1]),
                    cell(ns, RANKS[2]),
                    bytes.get("choose"),
                    bytes.get("chooseAndCount"));
            met &= ns.get("choose" + TARGET_RANKS) <= TARGET_NS && bytes.get("choose") < TARGET_BYTES;
        }
        System.out.println(
                met
                        ? "Every policy meets the targets."
                        : "A policy misses a target: 1 microsecond at 64 ranks, 0 bytes.");
        System.exit(met ? 0 : 1);
    }

    private static String cell(Map<String, Double> ns, String ranks) {
        return String.format(Locale.ROOT, "%,.0f (%,.0f)", ns.get("choose" + ranks), ns.get("chooseAndCount" + ranks));
    }
}
