package dpserve.tokenizer.process;

import dpserve.io.DisaggregationArgs;
import dpserve.io.Env;
import dpserve.io.LoadReport;
import dpserve.io.TopologyArgs;
import dpserve.io.codec.IntArrayForm;
import dpserve.io.process.CommandRunner;
import dpserve.io.process.ShutdownSignal;
import dpserve.tokenizer.Deadlines;
import dpserve.tokenizer.LoadReports;
import dpserve.tokenizer.OnRankFailure;
import dpserve.tokenizer.PromptLimits;
import dpserve.tokenizer.http.Admission;
import dpserve.tokenizer.http.ApiKeys;
import dpserve.tokenizer.http.WorkerMetrics;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.function.BooleanSupplier;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** One tokenizer worker: HTTP server and tokenizer manager. */
@Command(
        name = "tokenizer",
        mixinStandardHelpOptions = true,
        description = "Tokenizer manager: HTTP server, tokenization, and the owner of every request.")
public final class TokenizerManagerMain implements Callable<Integer> {
    /** 32 MiB: a prompt of several million characters. */
    static final int DEFAULT_MAX_BODY_BYTES = 32 << 20;

    /** Long enough for ordinary replies to finish, short enough for an operator to wait for. */
    static final int DEFAULT_DRAIN_TIMEOUT_S = 30;

    @Mixin
    TopologyArgs topology;

    @Mixin
    VocabularyArgs vocabulary;

    @Mixin
    DisaggregationArgs disaggregation;

    @Option(
            names = "--chat-template",
            paramLabel = "FILE",
            description = "Jinja file: how chats are written, instead of the template beside --tokenizer-path.")
    Path chatTemplate;

    @Option(
            names = "--tokenizer-worker-index",
            defaultValue = "0",
            description = "Which of the tokenizer workers this is, from 0 (default: ${DEFAULT-VALUE}).")
    int workerIndex;

    @Option(
            names = "--load-report",
            defaultValue = "piggyback",
            description = "How loads reach the controller: piggyback (on every output batch, SGLang PR #11469),"
                    + " watch (polled, as before it), direct (from rank to controller) or accounting (no reports)"
                    + " (default: ${DEFAULT-VALUE}).")
    LoadReport loadReport;

    @Option(
            names = "--on-rank-failure",
            defaultValue = "resume",
            description = "What becomes of a running request whose rank died: resume (another rank goes on where it"
                    + " stood) or fail (503); with --disaggregation-mode always fail, and the PD router tries"
                    + " again (default: ${DEFAULT-VALUE}).")
    OnRankFailure onRankFailure;

    @Option(
            names = "--request-timeout-s",
            defaultValue = "" + Deadlines.DEFAULT_REQUEST_TIMEOUT_S,
            description =
                    "Longest time of a request over all its attempts, seconds; then it ends with 504. 0 = no limit"
                            + " (default: ${DEFAULT-VALUE}).")
    int requestTimeoutS;

    @Option(
            names = "--load-watch-interval",
            defaultValue = "" + LoadReports.DEFAULT_WATCH_INTERVAL_S,
            description = "Seconds between two polls with --load-report watch (default: ${DEFAULT-VALUE}).")
    double loadWatchIntervalS;

    @Option(
            names = "--time-scale",
            defaultValue = "1.0",
            description = "Factor on every modelled period, here the load watch interval; 0 = as fast as possible"
                    + " (default: ${DEFAULT-VALUE}).")
    double timeScale;

    @Option(
            names = "--context-length",
            defaultValue = "" + PromptLimits.DEFAULT_CONTEXT_LENGTH,
            description = "Most tokens of a prompt and its reply together (default: ${DEFAULT-VALUE}).")
    int contextLength;

    @Option(
            names = "--served-model-name",
            defaultValue = "simulated",
            description = "Name of the model in the API (default: ${DEFAULT-VALUE}).")
    String servedModelName;

    @Option(
            names = "--weight-version",
            defaultValue = "default",
            description = "Label of the weights in meta_info (default: ${DEFAULT-VALUE}).")
    String weightVersion;

    @Option(
            names = "--incremental-streaming-output",
            description = "Chunks of /generate carry only what is new, instead of everything so far.")
    boolean incrementalStreaming;

    @Option(
            names = "--token-id-form",
            defaultValue = "int32",
            description = "How token ids are written: int32 between Java peers, int64 for SGLang's schedulers"
                    + " (default: ${DEFAULT-VALUE}).")
    IntArrayForm tokenIdForm;

    @Option(
            names = "--sglang-controller",
            description =
                    "The controller is SGLang's own: nothing that its release does not know is sent to it, and all"
                            + " ranks are taken to be up.")
    boolean sglangController;

    @Option(names = "--sglang-detokenizer", description = "The detokenizer is SGLang's own: nothing is sent to it.")
    boolean sglangDetokenizer;

    @Option(
            names = "--api-key",
            paramLabel = "KEY",
            description = "Key that clients must send as Authorization: Bearer KEY (default: the environment variable"
                    + " DPSERVE_API_KEY, which no process list shows; without both, none).")
    String apiKey;

    @Option(
            names = "--admin-api-key",
            paramLabel = "KEY",
            description = "Key for the calls that change the server, which the other then does not open (default:"
                    + " DPSERVE_ADMIN_API_KEY; without both, --api-key opens them).")
    String adminApiKey;

    @Option(
            names = "--max-live-requests",
            defaultValue = "" + Admission.DEFAULT_MAX_REQUESTS,
            description = "Most requests that this worker has at a time; further ones get 503 (default:"
                    + " ${DEFAULT-VALUE}).")
    int maxLiveRequests;

    @Option(
            names = "--max-live-prompt-tokens",
            defaultValue = "" + Admission.DEFAULT_MAX_PROMPT_TOKENS,
            description = "Most prompt tokens of all requests that this worker has; further requests get 503 (default:"
                    + " ${DEFAULT-VALUE}).")
    long maxLivePromptTokens;

    @Option(
            names = "--max-request-bytes",
            defaultValue = "" + DEFAULT_MAX_BODY_BYTES,
            description = "Longest HTTP request body, bytes (default: ${DEFAULT-VALUE}).")
    int maxRequestBytes;

    @Option(
            names = "--drain-timeout-s",
            defaultValue = "" + DEFAULT_DRAIN_TIMEOUT_S,
            description = "Longest time after SIGTERM for running requests to finish, seconds"
                    + " (default: ${DEFAULT-VALUE}).")
    int drainTimeoutS;

    /** Bounds what this worker takes on. */
    Admission admission(WorkerMetrics live, BooleanSupplier draining) {
        return new Admission(maxLiveRequests, maxLivePromptTokens, live, draining);
    }

    /** The keys of flags and environment. */
    ApiKeys keys(Env environment) {
        return new ApiKeys(
                apiKey == null ? environment.variables().get("DPSERVE_API_KEY") : apiKey,
                adminApiKey == null ? environment.variables().get("DPSERVE_ADMIN_API_KEY") : adminApiKey);
    }

    public static void main(String[] args) {
        CommandRunner.run(new TokenizerManagerMain(), args);
    }

    @Override
    public Integer call() throws Exception {
        if (workerIndex < 0 || workerIndex >= topology.tokenizerWorkerNum) {
            throw new IllegalArgumentException(
                    "--tokenizer-worker-index must be 0 to " + (topology.tokenizerWorkerNum - 1));
        }
        if (timeScale < 0 || loadWatchIntervalS <= 0 || contextLength < 2 || maxRequestBytes < 1024) {
            throw new IllegalArgumentException("--time-scale must be at least 0, --load-watch-interval above 0,"
                    + " --context-length at least 2, --max-request-bytes at least 1024");
        }
        if (maxLiveRequests < 1 || maxLivePromptTokens < 1) {
            throw new IllegalArgumentException("--max-live-requests and --max-live-prompt-tokens must be at least 1");
        }
        if (requestTimeoutS < 0) {
            throw new IllegalArgumentException("--request-timeout-s must be at least 0");
        }
        ShutdownSignal signal = ShutdownSignal.install(drainTimeoutS);
        try (TokenizerProcess process = new TokenizerProcess(this)) {
            process.start();
            signal.await();
            process.drain(drainTimeoutS);
        } finally {
            signal.completed();
        }
        return 0;
    }

    /** What /model_info says of model and vocabulary. */
    Map<String, Object> modelInfo() {
        return vocabulary.modelInfo(servedModelName);
    }

    /** The flags that /server_info shows, by SGLang's names. */
    Map<String, Object> shown() {
        Map<String, Object> shown = new LinkedHashMap<>();
        shown.put("host", topology.host);
        shown.put("port", topology.port);
        shown.put("dp_size", topology.dpSize);
        shown.put("tokenizer_worker_num", topology.tokenizerWorkerNum);
        shown.put("detokenizer_worker_num", topology.detokenizerWorkerNum);
        shown.put("context_length", contextLength);
        shown.put("load_report", loadReport.name().toLowerCase(Locale.ROOT));
        shown.put("load_watch_interval", loadWatchIntervalS);
        shown.put("time_scale", timeScale);
        return shown;
    }

    /** A name for a request whose client gave none. */
    static String newRid() {
        return UUID.randomUUID().toString().replace("-", "");
    }
}
