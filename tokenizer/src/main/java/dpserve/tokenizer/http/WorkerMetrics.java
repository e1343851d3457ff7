package dpserve.tokenizer.http;

import dpserve.io.message.FinishReason;
import dpserve.tokenizer.ManagerCounters;
import dpserve.tokenizer.SequenceSpec;
import dpserve.tokenizer.SequenceState;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Timer;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.time.Duration;
import java.util.Arrays;
import java.util.concurrent.TimeUnit;

/** One worker's counters and histograms, under SGLang's names. */
public final class WorkerMetrics implements ManagerCounters {
    /** Seconds; SGLang's buckets for the time to first token. */
    private static final double[] TTFT_BUCKETS = {
        0.001, 0.005, 0.01, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 2, 4, 6, 8, 10, 20, 40, 60, 80, 100, 200, 400
    };

    private static final double[] ITL_BUCKETS = {
        0.0005, 0.001, 0.002, 0.004, 0.006, 0.008, 0.01, 0.015, 0.02, 0.03, 0.04, 0.05, 0.06, 0.08, 0.1, 0.2, 0.5, 1, 2,
        5
    };

    private static final double[] E2E_BUCKETS = {
        0.01, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 2, 4, 6, 8, 10, 20, 40, 60, 80, 100, 200, 400, 600, 1200
    };

    private static final double NS = 1e9;

    private final PrometheusMeterRegistry registry = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
    private final String modelName;
    private final Counter requests;
    private final Counter aborted;
    private final Counter promptTokens;
    private final Counter cachedTokens;
    private final Counter generationTokens;
    private final Timer ttft;
    private final Timer itl;
    private final Timer e2e;
    private long unknownRids;
    private long gaps;

    /** @param modelName value of the label model_name */
    public WorkerMetrics(String modelName) {
        this.modelName = modelName;
        // SGLang's names hold a colon and end as Prometheus wants; nothing is to be changed about them.
        registry.config().namingConvention((name, type, unit) -> name);
        requests = counter("sglang:num_requests", "Requests that ended.");
        aborted = counter("sglang:num_aborted_requests", "Requests that ended by an abort.");
        promptTokens = counter("sglang:prompt_tokens", "Prompt tokens of requests that ended.");
        cachedTokens = counter("sglang:cached_tokens", "Prompt tokens found in a prefix cache.");
        generationTokens = counter("sglang:generation_tokens", "Output tokens.");
        ttft = histogram("sglang:time_to_first_token_seconds", "Time to the first token.", TTFT_BUCKETS);
        itl = histogram("sglang:inter_token_latency_seconds", "Time between two tokens.", ITL_BUCKETS);
        e2e = histogram("sglang:e2e_request_latency_seconds", "Time to the end of a request.", E2E_BUCKETS);
    }

    private Counter counter(String name, String help) {
        return Counter.builder(name)
                .description(help)
                .tag("model_name", modelName)
                .register(registry);
    }

    /** A timer, because Micrometer's other histograms count in whole units, here seconds. */
    private Timer histogram(String name, String help, double[] bucketsS) {
        Duration[] buckets = Arrays.stream(bucketsS)
                .mapToObj(seconds -> Duration.ofNanos(Math.round(seconds * NS)))
                .toArray(Duration[]::new);
        return Timer.builder(name)
                .description(help)
                .tag("model_name", modelName)
                .serviceLevelObjectives(buckets)
                .register(registry);
    }

    @Override
    public void accepted(SequenceSpec spec) {
        // Counted when it ends, as SGLang does.
    }

    @Override
    public void tokens(SequenceState state, int newTokens, long nowNs) {
        generationTokens.increment(newTokens);
        if (state.firstTokenNs() == 0) {
            ttft.record(nowNs - state.createdNs(), TimeUnit.NANOSECONDS);
        } else {
            long gapNs = (nowNs - state.lastTokenNs()) / newTokens;
            for (int i = 0; i < newTokens; i++) {
                itl.record(gapNs, TimeUnit.NANOSECONDS);
            }
        }
    }

    @Override
    public void ended(SequenceState state, long nowNs) {
        requests.increment();
        promptTokens.increment(state.promptTokens());
        cachedTokens.increment(state.cachedTokens());
        if (state.finishReason() instanceof FinishReason.Abort) {
            aborted.increment();
        } else {
            e2e.record(nowNs - state.createdNs(), TimeUnit.NANOSECONDS);
        }
    }

    @Override
    public void unknownRid() {
        unknownRids++;
    }

    @Override
    public void gap() {
        gaps++;
    }

    /** Outputs for wire rids that were not known. */
    public long unknownRids() {
        return unknownRids;
    }

    /** Outputs that did not join what was held. */
    public long gaps() {
        return gaps;
    }

    /** Everything in Prometheus' text format. */
    public String scrape() {
        return registry.scrape();
    }
}
