package dpserve.bench.process;

import dpserve.bench.BenchConfig;
import dpserve.bench.live.LiveRun;
import dpserve.io.model.Vocabulary;
import dpserve.io.process.CommandRunner;
import dpserve.tokenizer.JtokkitVocabulary;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** The part of scripts/demo.sh that puts load on the topology and says how it went. */
@Command(name = "demo", description = "Called by scripts/demo.sh.")
public final class DemoMain implements Callable<Integer> {
    private static final List<String> METHODS = List.of("round_robin", "shortest_queue", "least_requests");

    /** The policy whose promise is checked: no rank above the even share. */
    private static final String EXACT = "least_requests";

    private static final int RANKS = 4;
    private static final int IN_FLIGHT = 100;
    private static final int REQUESTS = 300;
    private static final int INPUT_LEN = 200;
    private static final int OUTPUT_LEN = 400;
    private static final double REPORT_DELAY_MS = 500;

    /** So that the first policy does not pay for the processes' first seconds. */
    private static final int WARMUP_REQUESTS = 200;

    @Option(names = "--port", required = true)
    private int port;

    @Option(names = "--time-scale", required = true)
    private double timeScale;

    public static void main(String[] args) {
        CommandRunner.run(new DemoMain(), args);
    }

    @Override
    public Integer call() throws InterruptedException {
        System.out.printf(
                Locale.ROOT,
                "%d requests of 1 to %d tokens in and 1 to %d out, %d in flight on %d ranks: %d for each is even."
                        + " Load reports %.0f ms late.%n",
                REQUESTS,
                INPUT_LEN,
                OUTPUT_LEN,
                IN_FLIGHT,
                RANKS,
                IN_FLIGHT / RANKS,
                REPORT_DELAY_MS);
        Vocabulary vocabulary = new JtokkitVocabulary();
        boolean good = true;
        try {
            for (String method : METHODS) {
                LiveRun run = LiveRun.measure(vocabulary, load(), null, method, REPORT_DELAY_MS);
                System.out.println(line(run));
                if (run.limit() != null) {
                    System.out.println("  limited by this machine, so take no latency from this run: " + run.limit());
                }
                good &= run.bad() == 0 && (!method.equals(EXACT) || run.peaks().most() <= IN_FLIGHT / RANKS);
            }
        } catch (IllegalStateException e) {
            System.err.println("error: " + e.getMessage());
            return CommandRunner.FAILURE;
        }
        return good ? 0 : CommandRunner.FAILURE;
    }

    private BenchConfig load() {
        return BenchConfig.parse(
                "--port",
                Integer.toString(port),
                "--dataset-name",
                "random",
                "--num-prompts",
                Integer.toString(REQUESTS),
                "--random-input-len",
                Integer.toString(INPUT_LEN),
                "--random-output-len",
                Integer.toString(OUTPUT_LEN),
                "--max-concurrency",
                Integer.toString(IN_FLIGHT),
                "--warmup-requests",
                Integer.toString(WARMUP_REQUESTS),
                "--tokenize-prompt",
                "--verify");
    }

    private String line(LiveRun run) {
        return String.format(
                Locale.ROOT,
                "%-15s most requests held by a rank: %2d   P99 TTFT: %5.0f ms   wrong or lost tokens: %s",
                run.method(),
                run.peaks().most(),
                run.result().metrics().ttftMs().p99() / timeScale,
                run.bad() == 0
                        ? "0"
                        : "in " + run.bad() + " replies ("
                                + run.result().verify().summary() + ")");
    }
}
