package dpserve.bench.process;

import dpserve.bench.BenchConfig;
import dpserve.bench.dataset.DatasetRow;
import dpserve.bench.dataset.Prompt;
import dpserve.bench.dataset.Seeds;
import dpserve.bench.dataset.TokenRun;
import dpserve.bench.lab.Workload;
import dpserve.bench.lab.Workloads;
import dpserve.bench.live.BalanceTable;
import dpserve.bench.live.HeldSamples;
import dpserve.bench.live.LiveRun;
import dpserve.io.model.Vocabulary;
import dpserve.io.process.CommandRunner;
import dpserve.tokenizer.JtokkitVocabulary;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** The part of scripts/dev/live-balance.sh that puts load on one topology and prints its rows. */
@Command(name = "live-balance", description = "Called by scripts/dev/live-balance.sh.")
public final class LiveBalanceMain implements Callable<Integer> {
    /** The policy whose promise is checked: with one tokenizer worker no rank above the even share. */
    private static final String EXACT = "least_requests";

    /** Prompts are short: only how long a request stays matters here. */
    private static final int INPUT_LEN = 32;

    private static final int PROMPT = 91;

    /** Some hundred samples of a run; each is a call to every rank, so more would take time from them. */
    private static final long SAMPLE_MS = 50;

    @Option(names = "--port", required = true)
    private int port;

    @Option(names = "--ranks", required = true)
    private int ranks;

    @Option(names = "--workers", required = true)
    private int workers;

    @Option(names = "--policies", required = true, split = ",")
    private List<String> policies;

    @Option(names = "--delays-ms", required = true, split = ",")
    private List<Integer> delaysMs;

    @Option(names = "--seeds", required = true)
    private int seeds;

    @Option(names = "--num-prompts", required = true)
    private int numPrompts;

    @Option(names = "--max-concurrency", required = true)
    private int open;

    @Option(names = "--csv", required = true)
    private Path csv;

    @Option(names = "--trace")
    private String trace;

    @Option(names = "--header")
    private boolean header;

    public static void main(String[] args) {
        CommandRunner.run(new LiveBalanceMain(), args);
    }

    @Override
    public Integer call() throws IOException, InterruptedException {
        Workload workload = Workloads.all(trace == null ? Map.of() : Map.of(Workloads.CONVERSATION, trace)).stream()
                .filter(w -> w.name().equals(Workloads.CONVERSATION))
                .findFirst()
                .orElseThrow();
        BalanceTable table = new BalanceTable(open, ranks);
        Vocabulary vocabulary = new JtokkitVocabulary();
        if (header) {
            System.out.print(table.header());
            Files.writeString(csv, table.csvHeader() + "\n");
        }
        boolean good = true;
        try {
            for (int delayMs : delaysMs) {
                for (String policy : policies) {
                    List<BalanceTable.Run> runs = new ArrayList<>();
                    for (int seed = 1; seed <= seeds; seed++) {
                        runs.add(run(vocabulary, workload.rows().make(numPrompts, seed), policy, delayMs, seed));
                        String line = BalanceTable.csv(runs.get(runs.size() - 1)) + "\n";
                        Files.writeString(csv, line, StandardOpenOption.APPEND);
                    }
                    System.out.print(table.row(runs));
                    boolean exact = policy.equals(EXACT) && workers == 1;
                    good &= runs.stream()
                            .allMatch(r -> r.bad() == 0 && (!exact || r.peaks().most() <= table.even()));
                }
            }
        } catch (IllegalStateException e) {
            System.err.println("error: " + e.getMessage());
            return CommandRunner.FAILURE;
        }
        return good ? 0 : CommandRunner.FAILURE;
    }

    private BalanceTable.Run run(Vocabulary vocabulary, List<DatasetRow> lengths, String policy, int delayMs, long seed)
            throws InterruptedException {
        List<DatasetRow> rows = new ArrayList<>();
        for (DatasetRow row : lengths) {
            TokenRun words = new TokenRun.Words(Seeds.mix(seed, PROMPT, rows.size()), INPUT_LEN);
            rows.add(new DatasetRow(new Prompt.Tokens(words), INPUT_LEN, row.outputLen()));
        }
        BenchConfig config = BenchConfig.parse(
                "--port",
                Integer.toString(port),
                "--dataset-name",
                "random",
                "--seed",
                Long.toString(seed),
                "--max-concurrency",
                Integer.toString(open),
                "--tokenize-prompt",
                "--verify");
        HeldSamples samples = new HeldSamples(ranks, open);
        LoadSampler sampler = new LoadSampler(config.base(), SAMPLE_MS, samples::add);
        LiveRun run;
        try {
            run = LiveRun.measure(vocabulary, config, rows, policy, delayMs);
        } finally {
            sampler.stop();
        }
        return new BalanceTable.Run(
                workers,
                delayMs,
                policy,
                seed,
                run.peaks(),
                samples.full(),
                samples.even(),
                run.bad(),
                run.limit() != null);
    }
}
