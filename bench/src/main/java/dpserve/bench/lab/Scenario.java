package dpserve.bench.lab;

import dpserve.bench.dataset.DatasetRow;
import dpserve.bench.dataset.Seeds;
import dpserve.bench.sim.ImbalanceMeter;
import dpserve.bench.sim.SimResult;
import dpserve.scheduler.EngineProfile;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.function.ToDoubleFunction;
import java.util.function.ToIntBiFunction;

/**
 * One way in which balancing by piggybacked reports goes wrong, to be seen: the failing design without the fault and with
 * it, and least_requests with the fault.
 *
 * @param title what goes wrong
 * @param topology flags of all three runs
 * @param policy of the failing design
 * @param shownBy the figure that the fault raises, whatever else it does
 * @param healthy flags that keep the fault away
 * @param fault flags that bring it
 */
public record Scenario(
        int number,
        String title,
        int maxConcurrency,
        Workload.Rows rows,
        List<String> topology,
        String policy,
        ToDoubleFunction<SimResult> shownBy,
        List<String> healthy,
        List<String> fault) {

    private static final int REQUESTS = 600;
    private static final int ROWS = 91;
    private static final List<String> NONE = List.of();
    private static final List<String> LOCKSTEP = List.of("--enable-dp-attention");
    private static final List<String> ROOM =
            List.of("--enable-dp-attention", "--context-length", "65536", "--max-total-tokens", "200000");

    /** The three runs. */
    public record Outcome(SimResult healthy, SimResult faulty, SimResult ours) {}

    /** By how much least_requests may pass a rank's even share: ends that other workers have still under way. */
    public int allowedAboveEven() {
        return topology.contains("--tokenizer-worker-num") ? 1 : 0;
    }

    private static double aboveEven(SimResult result) {
        return result.imbalance().mostAboveEven();
    }

    /** All ten, in the order in which docs/laboratory.md tells of them. */
    public static List<Scenario> all() {
        List<String> polled = flags("--load-report watch --load-watch-interval-ms 10");
        return List.of(
                new Scenario(
                        1,
                        "An idle rank emits no batch, so it reports nothing and no round of reports completes",
                        4,
                        Scenario::fourthLong,
                        LOCKSTEP,
                        "shortest_queue",
                        Scenario::aboveEven,
                        polled,
                        NONE),
                new Scenario(
                        2,
                        "The last report before idle was sampled before its requests were retired: busy for ever",
                        40,
                        Scenario::endTogether,
                        NONE,
                        "total_requests",
                        r -> r.imbalance().requestsRatio().p95(),
                        NONE,
                        flags("--upstream-reports")),
                new Scenario(
                        3,
                        "A long chunked prefill blocks its rank's reports for its whole length",
                        100,
                        Scenario::longPrompts,
                        ROOM,
                        "shortest_queue",
                        r -> r.loadAgeMs().p99(),
                        polled,
                        NONE),
                underMixedLoad(
                        4,
                        "Reports queue behind each other in the controller's one input",
                        flags("--dp-size 8"),
                        "--report-service-us 8000"),
                underMixedLoad(5, "Reports inherit the backlog of the detokenizer", NONE, "--detokenizer-us 800"),
                underMixedLoad(6, "A large stream interval thins reports out", NONE, "--report-every 50"),
                underMixedLoad(
                        7,
                        "A late report erases dispatches that the rank had not yet seen: the herding loop",
                        NONE,
                        "--report-delay-ms 500"),
                underMixedLoad(
                        8,
                        "Several tokenizer workers: reports of a rank overtake each other, and nothing tells their order",
                        flags("--tokenizer-worker-num 4 --report-jitter-ms 400"),
                        "--upstream-reports"),
                new Scenario(
                        9,
                        "The 2 ms window assumes that ranks step together; apart, a round never completes",
                        100,
                        Scenario::mixed,
                        NONE,
                        "shortest_queue",
                        Scenario::aboveEven,
                        LOCKSTEP,
                        NONE),
                underMixedLoad(
                        10, "The load is lost on the way (None on one path), silently", NONE, "--report-drop 1"));
    }

    private static Scenario underMixedLoad(int number, String title, List<String> topology, String fault) {
        return new Scenario(
                number,
                title,
                100,
                Scenario::mixed,
                topology,
                "total_requests",
                Scenario::aboveEven,
                NONE,
                flags(fault));
    }

    private static List<String> flags(String words) {
        return List.of(words.split(" "));
    }

    /** Outputs of very different lengths: what makes a careless policy uneven. */
    private static List<DatasetRow> mixed(int count, long seed) {
        return rows(count, seed, (i, r) -> 1 + (int) Math.min(800, Math.exp(r.nextGaussian() * 1.2 + 3.5)), 0);
    }

    /** Every fourth output is long, so that taking four ranks in turn gives one of them all the long ones. */
    private static List<DatasetRow> fourthLong(int count, long seed) {
        return rows(count, seed, (i, r) -> i % 4 == 0 ? 400 + r.nextInt(400) : 5 + r.nextInt(20), 0);
    }

    /** Four lengths in turn, so that all requests of a rank end in the same step. */
    private static List<DatasetRow> endTogether(int count, long seed) {
        return rows(count, seed, (i, r) -> 60 * (1 + i % 4), 0);
    }

    /** Short outputs, and a prompt of 60,000 tokens now and then. */
    private static List<DatasetRow> longPrompts(int count, long seed) {
        return rows(count, seed, (i, r) -> 1 + r.nextInt(8), 0.03);
    }

    private static List<DatasetRow> rows(
            int count, long seed, ToIntBiFunction<Integer, Random> outputLength, double longShare) {
        Random random = Seeds.random(seed, ROWS);
        List<DatasetRow> rows = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            int in = random.nextDouble() < longShare ? 60_000 : 50 + random.nextInt(200);
            rows.add(Workloads.row(seed, i, in, outputLength.applyAsInt(i, random), 0));
        }
        return rows;
    }

    /** Runs all three; equal seeds give equal outcomes. */
    public Outcome run(long seed) {
        return new Outcome(run(seed, policy, healthy), run(seed, policy, fault), run(seed, "least_requests", fault));
    }

    private SimResult run(long seed, String method, List<String> more) {
        List<String> flags = new ArrayList<>(more);
        flags.addAll(List.of("--load-balance-method", method));
        return new Workload(
                        "scenario " + number,
                        title,
                        REQUESTS,
                        topology,
                        EngineProfile.defaultProfile(),
                        maxConcurrency,
                        0,
                        0,
                        List.of(),
                        rows)
                .run(Double.POSITIVE_INFINITY, seed, flags);
    }

    /** What was seen, as text. */
    public String table(Outcome outcome, long seed) {
        return String.format(Locale.ROOT, "%d. %s%n", number, title)
                + String.format(
                        Locale.ROOT,
                        "   %d requests, %d in flight, seed %d %s%n",
                        REQUESTS,
                        maxConcurrency,
                        seed,
                        String.join(" ", topology))
                + row("", "most above even", "max/min p95", "load age P99 (ms)", "P99 TTFT (ms)")
                + row(policy + ", without the fault " + String.join(" ", healthy), outcome.healthy)
                + row(policy + ", with it " + String.join(" ", fault), outcome.faulty)
                + row("least_requests, with it", outcome.ours);
    }

    private static String row(String name, SimResult r) {
        ImbalanceMeter.Figures f = r.imbalance();
        return row(
                name,
                Integer.toString(f.mostAboveEven()),
                String.format(Locale.ROOT, "%.2f", f.requestsRatio().p95()),
                String.format(Locale.ROOT, "%,.0f", r.loadAgeMs().p99()),
                String.format(Locale.ROOT, "%,.0f", r.ttftMs().p99()));
    }

    private static String row(String name, String a, String b, String c, String d) {
        return String.format(Locale.ROOT, "   %-84s %15s %11s %17s %13s%n", name.strip(), a, b, c, d);
    }
}
