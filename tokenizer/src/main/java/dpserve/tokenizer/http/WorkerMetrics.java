package dpserve.tokenizer.http;

import dpserve.io.message.FinishReason;
import dpserve.tokenizer.ManagerCounters;
import dpserve.tokenizer.SequenceSpec;
import dpserve.tokenizer.SequenceState;
import dpserve.tokenizer.Stages;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Timer;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.time.Duration;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;

/** One worker's counters and histograms, under SGLang's names. */
public final class WorkerMetrics implements ManagerCounters {
    /** Seconds. SGLang's buckets, and below them some for replies that cost a simulated engine no time. */
    private static final double[] TTFT_BUCKETS = {
        0.001, 0.005, 0.01, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 2, 4, 6, 8, 10, 20, 40, 60, 80, 100, 200, 400
    };

    private static final double[] ITL_BUCKETS = {
        0.0005, 0.001, 0.002, 0.004, 0.006, 0.008, 0.01, 0.015, 0.02, 0.025, 0.03, 0.035, 0.04, 0.06, 0.08, 0.1, 0.2,
        0.4, 0.6, 0.8, 1, 2, 4, 6, 8
    };

    private static final double[] STAGE_BUCKETS = {
        0.0001, 0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 50, 100, 500, 1000
    };

    private static final double[] E2E_BUCKETS = {
        0.01, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 2, 4, 6, 8, 10, 20, 40, 60, 80, 100, 200, 400, 600, 1200, 1800, 2400
    };

    /** SGLang's label engine_type of a server that does prefill and decode. */
    static final String ENGINE_TYPE = "unified";

    private static final double NS = 1e9;

    /** What SGLang tells apart by the label is_streaming. */
    private final class ByStreaming {
        private final Counter requests;
        private final Counter promptTokens;
        private final Counter generationTokens;
        private final Timer ttft;
        private final Timer tpot;
        private final Timer e2e;

        private ByStreaming(boolean streaming) {
            String[] label = {"is_streaming", Boolean.toString(streaming)};
            requests = counter("sglang:num_requests", "Requests that ended.", label);
            promptTokens = counter("sglang:prompt_tokens", "Prompt tokens of requests that ended.", label);
            generationTokens = counter("sglang:generation_tokens", "Output tokens.", label);
            ttft = histogram("sglang:time_to_first_token_seconds", "Time to the first token.", TTFT_BUCKETS, label);
            tpot = histogram(
                    "sglang:request_time_per_output_token_seconds",
                    "Mean time between two tokens of a request.",
                    ITL_BUCKETS,
                    label);
            e2e = histogram("sglang:e2e_request_latency_seconds", "Time to the end of a request.", E2E_BUCKETS, label);
        }
    }

    private final PrometheusMeterRegistry registry = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
    private final String modelName;
    private final ByStreaming streaming;
    private final ByStreaming whole;
    private final Counter aborted;
    private final Counter cachedTokens;
    private final Timer itl;
    private final Map<Integer, Timer[]> stagesByRank = new HashMap<>();
    private int liveSequences;
    private long livePromptTokens;
    private long unknownRids;
    private long gaps;
    private final Counter resumed;

    /** @param modelName value of the label model_name */
    public WorkerMetrics(String modelName) {
        this.modelName = modelName;
        // SGLang's names hold a colon and end as Prometheus wants; nothing is to be changed about them.
        registry.config().namingConvention((name, type, unit) -> name);
        streaming = new ByStreaming(true);
        whole = new ByStreaming(false);
        aborted = counter("sglang:num_aborted_requests", "Requests that ended by an abort.");
        resumed = counter("dpserve_num_resumed_attempts", "Attempts that went on where a lost one stood.");
        cachedTokens =
                counter("sglang:cached_tokens", "Prompt tokens found in a prefix cache.", "cache_source", "total");
        itl = histogram("sglang:inter_token_latency_seconds", "Time between two tokens.", ITL_BUCKETS);
    }

    private Counter counter(String name, String help, String... labels) {
        return Counter.builder(name)
                .description(help)
                .tags("model_name", modelName, "engine_type", ENGINE_TYPE)
                .tags(labels)
                .register(registry);
    }

    /** A timer, because Micrometer's other histograms count in whole units, here seconds. */
    private Timer histogram(String name, String help, double[] bucketsS, String... labels) {
        Duration[] buckets = Arrays.stream(bucketsS)
                .mapToObj(seconds -> Duration.ofNanos(Math.round(seconds * NS)))
                .toArray(Duration[]::new);
        return Timer.builder(name)
                .description(help)
                .tags("model_name", modelName, "engine_type", ENGINE_TYPE)
                .tags(labels)
                .serviceLevelObjectives(buckets)
                .register(registry);
    }

    /** With the labels of SGLang's schedulers, which keep this metric there; made once a rank has ended a request. */
    private Timer[] stagesOf(int dpRank) {
        Timer[] stages = new Timer[Stages.NAMES.size()];
        for (int i = 0; i < stages.length; i++) {
            stages[i] = histogram(
                    "sglang:per_stage_req_latency_seconds",
                    "Time of a request in one stage; the stages add up to its whole time.",
                    STAGE_BUCKETS,
                    "stage",
                    Stages.NAMES.get(i),
                    "tp_rank",
                    "0",
                    "pp_rank",
                    "0",
                    "moe_ep_rank",
                    "0",
                    "dp_rank",
                    Integer.toString(dpRank));
        }
        return stages;
    }

    private ByStreaming of(SequenceState state) {
        return state.spec().stream() ? streaming : whole;
    }

    @Override
    public void accepted(SequenceSpec spec) {
        // For SGLang's metrics it counts when it ends.
        liveSequences++;
        livePromptTokens += spec.weight();
    }

    @Override
    public void tokens(SequenceState state, int newTokens, long nowNs) {
        of(state).generationTokens.increment(newTokens);
        if (state.firstTokenNs() == 0) {
            of(state).ttft.record(nowNs - state.createdNs(), TimeUnit.NANOSECONDS);
        } else {
            long gapNs = (nowNs - state.lastTokenNs()) / newTokens;
            for (int i = 0; i < newTokens; i++) {
                itl.record(gapNs, TimeUnit.NANOSECONDS);
            }
        }
    }

    @Override
    public void ended(SequenceState state, long nowNs) {
        liveSequences--;
        livePromptTokens -= state.spec().weight();
        ByStreaming kind = of(state);
        kind.requests.increment();
        kind.promptTokens.increment(state.promptTokens());
        cachedTokens.increment(state.cachedTokens());
        if (state.finishReason() instanceof FinishReason.Abort) {
            aborted.increment();
            return;
        }
        // A peer that says no rank has only one, which SGLang calls 0.
        int dpRank = Objects.requireNonNullElse(state.dpRank(), 0);
        Timer[] stages = stagesByRank.computeIfAbsent(dpRank, this::stagesOf);
        for (int i = 0; i < stages.length; i++) {
            stages[i].record(Math.round(state.stages().seconds()[i] * NS), TimeUnit.NANOSECONDS);
        }
        kind.e2e.record(nowNs - state.createdNs(), TimeUnit.NANOSECONDS);
        int gapsBetweenTokens = state.completionTokens() - 1;
        if (gapsBetweenTokens > 0) {
            kind.tpot.record((state.lastTokenNs() - state.firstTokenNs()) / gapsBetweenTokens, TimeUnit.NANOSECONDS);
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

    @Override
    public void resumed() {
        resumed.increment();
    }

    /** Attempts that went on with the output of a lost one. */
    public long resumedAttempts() {
        return (long) resumed.count();
    }

    /** Sequences accepted and not ended. */
    int liveSequences() {
        return liveSequences;
    }

    /** Their prompt tokens together, with what else they keep in memory as so many tokens. */
    long livePromptTokens() {
        return livePromptTokens;
    }

    /** Outputs for wire rids that were not known. */
    public long unknownRids() {
        return unknownRids;
    }

    /** Outputs that did not join what was held. */
    public long gaps() {
        return gaps;
    }

    /** Everything in Prometheus' text format, without the maxima that Micrometer adds to SGLang's histograms. */
    public String scrape() {
        return registry.scrape()
                .lines()
                .filter(line -> !line.contains("_seconds_max"))
                .collect(Collectors.joining("\n", "", "\n"));
    }
}
