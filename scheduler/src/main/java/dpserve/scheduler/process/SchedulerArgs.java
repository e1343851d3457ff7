package dpserve.scheduler.process;

import dpserve.io.Env;
import dpserve.io.model.StepModel;
import dpserve.scheduler.SchedulePolicy;
import dpserve.scheduler.SchedulerConfig;
import java.util.Locale;
import picocli.CommandLine.Option;

/** SGLang's scheduler flags. */
final class SchedulerArgs {
    /** Bounds of the two environment variables: any int a pool could hold. */
    private static final int MOST = 1 << 30;

    /** Four chats that name no limit, of 4,096 tokens each as admission reckons; 380 MB for a model of 135M parameters. */
    private static final int REAL_MAX_TOTAL_TOKENS = 16_384;

    /** A CPU computes few sequences at once; more of them only share its time. */
    private static final int REAL_MAX_RUNNING_REQUESTS = 16;

    /** About a second of a small model on one core: others decode no later than that. */
    private static final int REAL_CHUNKED_PREFILL_SIZE = 512;

    @Option(
            names = "--max-total-tokens",
            paramLabel = "TOKENS",
            description = "KV slots of each rank, tokens (default: " + SchedulerConfig.DEFAULT_MAX_TOTAL_TOKENS + "; "
                    + REAL_MAX_TOTAL_TOKENS + " with --engine llama).")
    private Integer maxTotalTokens;

    @Option(
            names = "--context-length",
            defaultValue = "" + SchedulerConfig.DEFAULT_CONTEXT_LENGTH,
            paramLabel = "TOKENS",
            description = "Longest prompt and output together, tokens; never more than the model was trained for"
                    + " (default: ${DEFAULT-VALUE}).")
    private int contextLength;

    @Option(
            names = "--max-running-requests",
            paramLabel = "N",
            description = "Most running requests of each rank (default: " + SchedulerConfig.DEFAULT_MAX_RUNNING_REQUESTS
                    + "; " + REAL_MAX_RUNNING_REQUESTS + " with --engine llama).")
    private Integer maxRunningRequests;

    @Option(
            names = "--max-queued-requests",
            paramLabel = "N",
            description = "Most waiting requests of each rank; one more is refused with 503 (default: no limit).")
    private Integer maxQueuedRequests;

    @Option(
            names = "--max-prefill-tokens",
            defaultValue = "" + SchedulerConfig.DEFAULT_MAX_PREFILL_TOKENS,
            paramLabel = "TOKENS",
            description = "Prompt tokens of one prefill batch; a longer single prompt still goes alone"
                    + " (default: ${DEFAULT-VALUE}).")
    private int maxPrefillTokens;

    @Option(
            names = "--chunked-prefill-size",
            paramLabel = "TOKENS",
            description =
                    "Most tokens of one prefill step; longer prompts take several. -1 for whole prompts (default: "
                            + SchedulerConfig.DEFAULT_CHUNKED_PREFILL_SIZE + "; " + REAL_CHUNKED_PREFILL_SIZE
                            + " with --engine llama).")
    private Integer chunkedPrefillSize;

    @Option(
            names = "--schedule-policy",
            defaultValue = "fcfs",
            paramLabel = "fcfs|lpm",
            description = "Order of the waiting queue: first come first served, or longest cached prefix first"
                    + " (default: ${DEFAULT-VALUE}).")
    private String schedulePolicy;

    @Option(
            names = "--schedule-conservativeness",
            defaultValue = "1.0",
            paramLabel = "FACTOR",
            description = "Scales the KV slots kept for the outputs of running requests: above 1 retracts less and"
                    + " admits later (default: ${DEFAULT-VALUE}).")
    private double scheduleConservativeness;

    @Option(
            names = "--disable-radix-cache",
            description = "Keep no KV of ended requests for others with the same prefix (default: false).")
    private boolean disableRadixCache;

    @Option(
            names = "--stream-interval",
            defaultValue = "1",
            paramLabel = "TOKENS",
            description = "Tokens between two events of a stream whose request names no interval"
                    + " (default: ${DEFAULT-VALUE}).")
    private int streamInterval;

    @Option(
            names = "--decode-log-interval",
            defaultValue = "" + SchedulerConfig.DEFAULT_DECODE_LOG_INTERVAL,
            paramLabel = "STEPS",
            description = "Decode steps between two log lines (default: ${DEFAULT-VALUE}).")
    private int decodeLogInterval;

    /**
     * What a real model is to make room for.
     *
     * @throws IllegalArgumentException naming the flag that is wrong
     */
    StepModel.Options modelOptions(int threads) {
        return new StepModel.Options(
                atLeast("--max-total-tokens", given(maxTotalTokens, REAL_MAX_TOTAL_TOKENS), SchedulerConfig.MIN_TOKENS),
                atLeast("--max-running-requests", given(maxRunningRequests, REAL_MAX_RUNNING_REQUESTS), 1),
                threads,
                !disableRadixCache);
    }

    private static int given(Integer value, int otherwise) {
        return value == null ? otherwise : value;
    }

    /**
     * The limits these flags describe.
     *
     * @param model null for the simulated engine
     * @param env for SGLANG_FORCE_STREAM_INTERVAL and SGLANG_CLIP_MAX_NEW_TOKENS_ESTIMATION
     * @throws IllegalArgumentException naming the flag or variable that is wrong
     */
    SchedulerConfig config(int dpRank, int detokenizers, Env env, StepModel model) {
        boolean real = model != null;
        int chunk = given(
                chunkedPrefillSize, real ? REAL_CHUNKED_PREFILL_SIZE : SchedulerConfig.DEFAULT_CHUNKED_PREFILL_SIZE);
        int context = atLeast("--context-length", contextLength, SchedulerConfig.MIN_TOKENS);
        if (chunk < 1 && chunk != -1) {
            throw new IllegalArgumentException("--chunked-prefill-size must be at least 1, or -1");
        }
        return new SchedulerConfig(
                dpRank,
                detokenizers,
                atLeast(
                        "--max-total-tokens",
                        given(maxTotalTokens, real ? REAL_MAX_TOTAL_TOKENS : SchedulerConfig.DEFAULT_MAX_TOTAL_TOKENS),
                        SchedulerConfig.MIN_TOKENS),
                real ? Math.min(context, model.contextLength()) : context,
                atLeast(
                        "--max-running-requests",
                        given(
                                maxRunningRequests,
                                real ? REAL_MAX_RUNNING_REQUESTS : SchedulerConfig.DEFAULT_MAX_RUNNING_REQUESTS),
                        1),
                maxQueuedRequests == null
                        ? SchedulerConfig.UNLIMITED
                        : atLeast("--max-queued-requests", maxQueuedRequests, 1),
                atLeast("--max-prefill-tokens", maxPrefillTokens, 1),
                chunk == -1 ? SchedulerConfig.UNLIMITED : chunk,
                policy(),
                conservativeness(),
                disableRadixCache,
                atLeast("--stream-interval", streamInterval, 1),
                env.integer("SGLANG_FORCE_STREAM_INTERVAL", SchedulerConfig.DEFAULT_FORCE_STREAM_INTERVAL, 1, MOST),
                env.integer(
                        "SGLANG_CLIP_MAX_NEW_TOKENS_ESTIMATION", SchedulerConfig.DEFAULT_CLIP_MAX_NEW_TOKENS, 1, MOST),
                atLeast("--decode-log-interval", decodeLogInterval, 1));
    }

    private SchedulePolicy policy() {
        return switch (schedulePolicy.toLowerCase(Locale.ROOT)) {
            case "fcfs" -> SchedulePolicy.FCFS;
            case "lpm" -> SchedulePolicy.LPM;
            default -> throw new IllegalArgumentException("--schedule-policy must be fcfs or lpm");
        };
    }

    private double conservativeness() {
        if (scheduleConservativeness >= 0 && scheduleConservativeness < Double.POSITIVE_INFINITY) {
            return scheduleConservativeness;
        }
        throw new IllegalArgumentException("--schedule-conservativeness must be a number of at least 0");
    }

    private static int atLeast(String flag, int value, int min) {
        if (value < min) {
            throw new IllegalArgumentException(flag + " must be at least " + min + ", not " + value);
        }
        return value;
    }
}
