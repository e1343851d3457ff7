package dpserve.bench;

import com.fasterxml.jackson.databind.JsonNode;
import dpserve.bench.client.Backend;
import dpserve.bench.client.ControlCalls;
import dpserve.bench.client.HttpLoadClient;
import dpserve.bench.client.LoadRunner;
import dpserve.bench.client.RequestBodies;
import dpserve.bench.client.RequestBodies.Message;
import dpserve.bench.dataset.DatasetRow;
import dpserve.bench.dataset.Datasets;
import dpserve.bench.dataset.PromptTokens;
import dpserve.bench.load.Arrivals;
import dpserve.bench.load.LoadSchedule;
import dpserve.bench.metrics.BenchMetrics;
import dpserve.bench.metrics.CacheReport;
import dpserve.bench.metrics.ClientHealth;
import dpserve.bench.metrics.Goodput;
import dpserve.bench.metrics.RequestOutcome;
import dpserve.bench.metrics.VerifyReport;
import dpserve.bench.verify.ReplyVerifier;
import dpserve.io.model.Vocabulary;
import dpserve.tokenizer.JtokkitVocabulary;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.IntConsumer;
import java.util.function.IntFunction;

/**
 * SGLang's bench_serving: makes a workload, sends it to a server over HTTP and measures the replies. The library behind
 * scripts/bench-serving.sh.
 */
public final class BenchServing {
    /** Upstream's longest output of a warm-up request, tokens. */
    private static final int WARMUP_OUTPUT_LEN = 32;

    private final Vocabulary vocabulary;
    private final Map<String, String> environment;
    private final Consumer<String> log;
    private final IntFunction<IntConsumer> progress;

    /**
     * @param vocabulary the server's; prompts are drawn from it, and replies counted with it
     * @param environment where an API key may stand
     * @param log takes a line about each stage
     * @param progress makes the display of a run of so many requests
     */
    public BenchServing(
            Vocabulary vocabulary,
            Map<String, String> environment,
            Consumer<String> log,
            IntFunction<IntConsumer> progress) {
        this.vocabulary = vocabulary;
        this.environment = environment;
        this.log = log;
        this.progress = progress;
    }

    /** Runs with the embedded vocabulary, the process's environment and no output. */
    public static BenchResult run(BenchConfig config) throws InterruptedException {
        return new BenchServing(new JtokkitVocabulary(), System.getenv(), line -> {}, total -> done -> {})
                .measure(config);
    }

    /**
     * @throws IllegalArgumentException if a flag is wrong
     * @throws IllegalStateException if the server is not there, no warm-up request succeeds or the cache is not flushed
     */
    public BenchResult measure(BenchConfig config) throws InterruptedException {
        return measure(config, tokens -> load(config, tokens));
    }

    /** As {@link #measure(BenchConfig)}, of a workload made elsewhere; the dataset's flags mean nothing then. */
    public BenchResult measure(BenchConfig config, List<DatasetRow> rows) throws InterruptedException {
        return measure(config, tokens -> rows);
    }

    private BenchResult measure(BenchConfig config, Function<PromptTokens, List<DatasetRow>> workload)
            throws InterruptedException {
        config.validate();
        Map<String, String> headers = config.request.headers(environment);
        ControlCalls control = new ControlCalls(config.base(), headers);
        if (config.readyCheckTimeoutSec > 0 && !control.waitUntilReady(config.readyCheckTimeoutSec)) {
            throw new IllegalStateException(config.base() + " gave no list of models on /v1/models within "
                    + config.readyCheckTimeoutSec + " s: is the server running?");
        }
        PromptTokens tokens = new PromptTokens(vocabulary);
        List<DatasetRow> rows = workload.apply(tokens);
        RequestBodies bodies = new RequestBodies(config.api(), model(config, control), tokens, config.request);
        LoadRunner.Run run;
        try (HttpLoadClient client =
                new HttpLoadClient(config.base(), config.api().path(), headers, System::nanoTime)) {
            warmUp(config, shortest(rows), client, bodies);
            if (config.flushCache) {
                control.flushCache(config.flushCacheTimeout);
            }
            int requests = rows.stream().mapToInt(DatasetRow::rounds).sum();
            log.accept("Starting the run: " + requests + " requests");
            run = new LoadRunner(client, config.api(), bodies, config.requestTimeoutSec, progress.apply(rows.size()))
                    .run(
                            rows,
                            new LoadSchedule(Arrivals.of(config.load, rows, config.seed), config.load.maxConcurrency));
        }
        return evaluate(config, rows, tokens, bodies, run, serverInfo(config, control));
    }

    private List<DatasetRow> load(BenchConfig config, PromptTokens tokens) {
        try {
            List<DatasetRow> rows = Datasets.load(config.dataset, tokens, config.seed);
            log.accept("#Input tokens: "
                    + rows.stream().mapToLong(DatasetRow::promptLen).sum());
            log.accept("#Output tokens: "
                    + rows.stream().mapToLong(DatasetRow::outputLen).sum());
            return rows;
        } catch (IOException e) {
            throw new UncheckedIOException("--dataset-path " + config.dataset.path, e);
        }
    }

    private static String model(BenchConfig config, ControlCalls control) throws InterruptedException {
        String name = config.servedModelName != null ? config.servedModelName : config.model;
        if (name == null && !config.api().isNative()) {
            name = control.firstModel();
            if (name == null) {
                throw new IllegalStateException("/v1/models names no model: give --model");
            }
        }
        return name;
    }

    /** Upstream takes the first row; that one may be longer than the server allows. */
    private static DatasetRow shortest(List<DatasetRow> rows) {
        return rows.stream().min(Comparator.comparingInt(DatasetRow::promptLen)).orElseThrow();
    }

    private void warmUp(BenchConfig config, DatasetRow model, HttpLoadClient client, RequestBodies bodies)
            throws InterruptedException {
        if (config.warmupRequests == 0) {
            return;
        }
        log.accept("Warming up with " + config.warmupRequests + " requests");
        DatasetRow row = new DatasetRow(
                model.prompt(),
                model.promptLen(),
                Math.min(model.outputLen(), WARMUP_OUTPUT_LEN),
                model.timestampMs(),
                model.routingKey());
        List<RequestOutcome> outcomes = new LoadRunner(
                        client, config.api(), bodies, config.requestTimeoutSec, done -> {})
                .run(
                        Collections.nCopies(config.warmupRequests, row),
                        new LoadSchedule(new long[config.warmupRequests], config.load.maxConcurrency))
                .outcomes();
        if (outcomes.stream().noneMatch(RequestOutcome::success)) {
            throw new IllegalStateException(
                    "no warm-up request succeeded: " + outcomes.get(0).problem());
        }
    }

    private JsonNode serverInfo(BenchConfig config, ControlCalls control) throws InterruptedException {
        JsonNode info = control.serverInfo();
        if (config.pdSeparated && info != null) {
            if (!info.path("decode").has(0)) {
                log.accept("WARNING: --pd-separated, but /server_info names no decode server");
                return info;
            }
            return info.path("decode").get(0);
        }
        return info;
    }

    private BenchResult evaluate(
            BenchConfig config,
            List<DatasetRow> rows,
            PromptTokens tokens,
            RequestBodies bodies,
            LoadRunner.Run run,
            JsonNode serverInfo) {
        List<RequestOutcome> outcomes = run.outcomes();
        BenchMetrics metrics = BenchMetrics.of(
                outcomes,
                run.durationS(),
                o -> rows.get(o.row()).rounds() > 1
                        ? o.promptLen()
                        : rows.get(o.row()).promptLen(),
                text -> tokens.encode(text).length);
        double[] lagsMs =
                outcomes.stream().mapToDouble(o -> o.sendLagS() * 1e3).sorted().toArray();
        ClientHealth client = ClientHealth.of(
                lagsMs,
                run.loopLagP99Ms(),
                run.loopLagMaxMs(),
                run.busyFraction(),
                run.events(),
                metrics.e2eMs().median());
        Map<String, Double> slos = config.slosMs();
        return new BenchResult(
                config,
                outcomes,
                metrics,
                slos.isEmpty() ? null : Goodput.of(outcomes, slos, run.durationS()),
                config.request.cacheReport ? CacheReport.of(outcomes) : null,
                client,
                config.verify ? verify(config.api(), rows, bodies, outcomes) : null,
                serverInfo);
    }

    private VerifyReport verify(
            Backend backend, List<DatasetRow> rows, RequestBodies bodies, List<RequestOutcome> outcomes) {
        ReplyVerifier verifier = new ReplyVerifier(backend, vocabulary);
        List<Message> messages = List.of();
        int round = 0;
        for (RequestOutcome o : outcomes) {
            DatasetRow row = rows.get(o.row());
            if (row.rounds() == 1) {
                verifier.check(bodies.body(row), o);
                continue;
            }
            messages = bodies.messages(row, round, round == 0 ? List.of() : messages);
            verifier.check(bodies.chat(row, messages), o);
            messages.add(new Message("assistant", o.text()));
            round = (round + 1) % row.rounds();
        }
        return verifier.report();
    }
}
