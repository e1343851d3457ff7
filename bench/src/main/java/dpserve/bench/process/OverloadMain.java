package dpserve.bench.process;

import com.fasterxml.jackson.databind.JsonNode;
import dpserve.bench.BenchConfig;
import dpserve.bench.BenchResult;
import dpserve.bench.BenchServing;
import dpserve.bench.client.ControlCalls;
import dpserve.bench.client.ServerInfo;
import dpserve.bench.metrics.Distribution;
import dpserve.bench.metrics.RequestOutcome;
import dpserve.bench.metrics.RequestOutcome.Ending;
import dpserve.io.process.CommandRunner;
import dpserve.tokenizer.JtokkitVocabulary;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.function.Predicate;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/**
 * The part of scripts/dev/overload.sh that puts load on a topology: first as much as it can serve, then ten times that
 * much, whether it answers or not.
 */
@Command(name = "overload", description = "Called by scripts/dev/overload.sh.")
public final class OverloadMain implements Callable<Integer> {
    /** Requests per slot in the run that finds the capacity. */
    private static final int TURNS = 4;

    /** Looks at the heaps during the overload. */
    private static final int LOOKS = 9;

    /** Heaps after a full collection may differ by this and still be flat: what is live varies with the moment. */
    private static final double HEAP_SLACK = 1.3;

    private static final double HEAP_SLACK_MIB = 8;

    /** An admitted request waits for at most one full queue before it, so it takes about twice as long; with some room. */
    private static final double MOST_ADMITTED_P99 = 4;

    /** Who is refused hears of it at once: well below the time of any reply. */
    private static final double MOST_REFUSED_P99_S = 1;

    private static final long TABLES_LIMIT_MS = 20_000;

    @Option(names = "--port", required = true)
    private int port;

    /** Requests that the ranks run together. */
    @Option(names = "--slots", required = true)
    private int slots;

    @Option(names = "--seconds", required = true)
    private int seconds;

    @Option(names = "--factor", required = true)
    private int factor;

    private final List<String> broken = new ArrayList<>();

    public static void main(String[] args) {
        CommandRunner.run(new OverloadMain(), args);
    }

    @Override
    public Integer call() throws InterruptedException {
        try {
            BenchResult alone = run("--num-prompts", "" + TURNS * slots, "--max-concurrency", "" + slots);
            double capacity = alone.metrics().completed() / alone.metrics().durationS();
            double rate = factor * capacity;
            System.out.printf(Locale.ROOT, "capacity %.1f req/s; now %.1f req/s for %d s%n", capacity, rate, seconds);
            HeapWatch heaps = new HeapWatch(ServerInfo.pids(calls().serverInfo()), seconds * 1000L / LOOKS);
            BenchResult over;
            try {
                over = run(
                        "--num-prompts",
                        Integer.toString((int) Math.ceil(rate * seconds)),
                        "--request-rate",
                        String.format(Locale.ROOT, "%.3f", rate));
            } finally {
                heaps.stop();
            }
            report(alone, over, heaps.mib());
        } catch (IOException | IllegalStateException e) {
            System.err.println("error: " + e.getMessage());
            return CommandRunner.FAILURE;
        }
        broken.forEach(line -> System.out.println("BROKEN: " + line));
        return broken.isEmpty() ? 0 : CommandRunner.FAILURE;
    }

    private BenchConfig config(String... more) {
        List<String> flags = new ArrayList<>(List.of(
                "--port",
                Integer.toString(port),
                "--dataset-name",
                "random",
                "--random-input-len",
                "200",
                "--random-output-len",
                "60",
                "--random-range-ratio",
                "0.5",
                "--verify"));
        flags.addAll(Arrays.asList(more));
        return BenchConfig.parse(flags.toArray(String[]::new));
    }

    private BenchResult run(String... more) throws InterruptedException {
        return new BenchServing(new JtokkitVocabulary(), Map.of(), line -> {}, total -> done -> {})
                .measure(config(more));
    }

    private ControlCalls calls() {
        return new ControlCalls(config().base(), Map.of());
    }

    private static Distribution seconds(BenchResult result, Predicate<RequestOutcome> which) {
        return Distribution.of(
                result.outcomes().stream()
                        .filter(which)
                        .mapToDouble(o -> o.latencyS() - o.sendLagS())
                        .toArray(),
                1);
    }

    private void report(BenchResult alone, BenchResult over, Map<String, double[]> heaps) throws InterruptedException {
        Distribution before = seconds(alone, RequestOutcome::success);
        Distribution admitted = seconds(over, RequestOutcome::success);
        Distribution refused = seconds(over, o -> o.ending() == Ending.FAILED);
        long refusals = over.outcomes().stream()
                .filter(o -> o.ending() == Ending.FAILED)
                .count();
        long lost =
                over.outcomes().stream().filter(o -> o.ending() == Ending.LOST).count();
        int wrong = over.verify().wrong() + over.verify().lost() + over.verify().doubled();
        System.out.printf(
                Locale.ROOT,
                "requests %d: served %d, refused %d, lost %d, wrong %d%n",
                over.outcomes().size(),
                over.metrics().completed(),
                refusals,
                lost,
                wrong);
        System.out.printf(
                Locale.ROOT, "P99 of those served, s: %.2f (%.2f without overload)%n", admitted.p99(), before.p99());
        System.out.printf(Locale.ROOT, "P99 until a refusal, s: %.3f (median %.3f)%n", refused.p99(), refused.median());
        must(refusals > 0, "nothing was refused, so this was no overload");
        must(lost == 0 && wrong == 0, lost + " replies lost, " + wrong + " wrong");
        must(admitted.p99() <= MOST_ADMITTED_P99 * before.p99(), "those served waited too long");
        must(refused.p99() <= MOST_REFUSED_P99_S, "refusals came late");
        JsonNode info = calls().serverInfo();
        for (String kind : List.of("ranks_down", "ranks_down_falsely")) {
            long count = ServerInfo.counter(info, kind);
            must(count == 0, kind + " " + count);
        }
        System.out.println("heap after a full collection, MiB, in " + LOOKS + " looks:");
        heaps.forEach(this::heap);
        must(ServerInfo.awaitEmpty(calls(), TABLES_LIMIT_MS).isEmpty(), "tables of /server_info are not empty");
    }

    private void heap(String name, double[] mib) {
        double middle =
                Arrays.stream(mib, mib.length / 3, 2 * mib.length / 3).max().orElse(0);
        double end = Arrays.stream(mib, 2 * mib.length / 3, mib.length).min().orElse(0);
        StringBuilder line = new StringBuilder(String.format("  %-14s", name));
        for (double m : mib) {
            line.append(String.format(Locale.ROOT, " %5.1f", m));
        }
        System.out.println(line);
        must(end <= HEAP_SLACK * middle + HEAP_SLACK_MIB, "the heap of " + name + " grows");
    }

    private void must(boolean holds, String otherwise) {
        if (!holds) {
            broken.add(otherwise);
        }
    }
}
