package dpserve.bench.process;

import com.fasterxml.jackson.databind.JsonNode;
import dpserve.bench.BenchConfig;
import dpserve.bench.client.ControlCalls;
import dpserve.bench.client.ServerInfo;
import dpserve.bench.live.LiveRun;
import dpserve.io.model.Vocabulary;
import dpserve.io.process.CommandRunner;
import dpserve.tokenizer.JtokkitVocabulary;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicInteger;
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

    /** The rank that is killed, any but the first would do as well. */
    private static final int VICTIM = 2;

    private static final long SAMPLE_MS = 50;

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
            good &= killed(vocabulary);
        } catch (IllegalStateException e) {
            System.err.println("error: " + e.getMessage());
            return CommandRunner.FAILURE;
        }
        return good ? 0 : CommandRunner.FAILURE;
    }

    /** The same load again; a rank is killed once all requests are on the ranks. */
    private boolean killed(Vocabulary vocabulary) throws InterruptedException {
        BenchConfig config = load();
        config.warmupRequests = 0; // the kill must meet the requests whose replies are checked
        Long pid = ServerInfo.pids(new ControlCalls(config.base(), Map.of()).serverInfo())
                .get("scheduler " + VICTIM);
        if (pid == null) {
            throw new IllegalStateException("/server_info names no rank " + VICTIM);
        }
        AtomicInteger held = new AtomicInteger();
        LoadSampler sampler = new LoadSampler(config.base(), SAMPLE_MS, loads -> killUnderLoad(loads, pid, held));
        LiveRun run;
        try {
            run = LiveRun.measure(vocabulary, config, null, EXACT, REPORT_DELAY_MS);
        } finally {
            sampler.stop();
        }
        if (held.get() == 0) {
            throw new IllegalStateException("rank " + VICTIM + " was never under load, so it was not killed");
        }
        System.out.printf(
                "kill -9 of rank %d with %d requests on it   wrong or lost tokens: %s%n",
                VICTIM, held.get(), wrong(run));
        return run.bad() == 0;
    }

    private static void killUnderLoad(JsonNode loads, long pid, AtomicInteger held) {
        int total = 0;
        int victims = 0;
        for (JsonNode load : loads.path("loads")) {
            int on = load.path("num_running_reqs").asInt()
                    + load.path("num_waiting_reqs").asInt();
            total += on;
            victims = load.path("dp_rank").asInt() == VICTIM ? on : victims;
        }
        if (total >= IN_FLIGHT - RANKS && held.compareAndSet(0, victims)) {
            ProcessHandle.of(pid).ifPresent(ProcessHandle::destroyForcibly);
        }
    }

    private static String wrong(LiveRun run) {
        return run.bad() == 0
                ? "0"
                : "in " + run.bad() + " replies (" + run.result().verify().summary() + ")";
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
                wrong(run));
    }
}
