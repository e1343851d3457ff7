package dpserve.bench;

import static dpserve.bench.Flags.require;

import dpserve.bench.client.Backend;
import dpserve.bench.client.RequestOptions;
import dpserve.bench.dataset.DatasetOptions;
import dpserve.bench.dataset.Datasets;
import dpserve.bench.load.LoadOptions;
import dpserve.bench.metrics.Goodput;
import dpserve.io.TopologyArgs;
import java.net.URI;
import java.util.List;
import java.util.Map;
import picocli.CommandLine;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/**
 * All flags of a benchmark. Names, meanings and defaults are those of SGLang's bench_serving; what could mean nothing here
 * (images, LoRA, profilers, log probabilities, chat templates) is left out, and {@code --trace-speed}, {@code --verify},
 * {@code --request-timeout-sec} and the dataset azure are additions.
 */
public final class BenchConfig {
    private static final String BY_DEFAULT = " (default: ${DEFAULT-VALUE}).";

    @Option(
            names = "--backend",
            defaultValue = "sglang",
            description = "sglang (/generate), sglang-oai (/v1/completions) or sglang-oai-chat" + BY_DEFAULT)
    public String backend;

    @Option(names = "--base-url", description = "Server's URL, http only (default: from --host and --port).")
    public String baseUrl;

    @Option(names = "--host", defaultValue = "127.0.0.1", description = "Server's host" + BY_DEFAULT)
    public String host;

    @Option(names = "--port", defaultValue = "" + TopologyArgs.DEFAULT_PORT, description = "Server's port" + BY_DEFAULT)
    public int port;

    @Option(
            names = "--ready-check-timeout-sec",
            defaultValue = "60",
            description = "Longest wait for the server, s" + BY_DEFAULT)
    public int readyCheckTimeoutSec;

    @Option(names = "--model", description = "Model's name in the OpenAI APIs (default: the first of /v1/models).")
    public String model;

    @Option(names = "--served-model-name", description = "Name sent instead of --model.")
    public String servedModelName;

    @Option(names = "--seed", defaultValue = "42", description = "Seed of lengths, prompts and arrivals" + BY_DEFAULT)
    public long seed;

    @Option(names = "--warmup-requests", defaultValue = "1", description = "Requests before the run" + BY_DEFAULT)
    public int warmupRequests;

    @Option(names = "--flush-cache", description = "Empty the prefix caches between warm-up and run.")
    public boolean flushCache;

    @Option(
            names = "--flush-cache-timeout",
            defaultValue = "60",
            description = "Longest wait for a flush, seconds" + BY_DEFAULT)
    public double flushCacheTimeout;

    @Option(
            names = "--pd-separated",
            description = "The server is a PD router; server_info is that of its decode server.")
    public boolean pdSeparated;

    /** As long as upstream's. */
    @Option(
            names = "--request-timeout-sec",
            defaultValue = "21600",
            description = "Longest time of a request, s" + BY_DEFAULT)
    public int requestTimeoutSec;

    @Option(
            names = "--goodput",
            arity = "1..3",
            paramLabel = "ttft|tpot|e2el:MS",
            description = "Latency objectives, ms.")
    public List<String> goodput = List.of();

    @Option(names = "--verify", description = "Compare every reply with what the simulated model must say.")
    public boolean verify;

    @Option(names = "--output-file", description = "JSON lines file appended to (default: named by the run).")
    public String outputFile;

    @Option(names = "--output-details", description = "Write every request's figures and text too.")
    public boolean outputDetails;

    @Option(names = "--disable-tqdm", description = "Show no progress.")
    public boolean disableTqdm;

    @Option(names = "--tag", description = "Text written into the result.")
    public String tag;

    @Mixin
    public DatasetOptions dataset = new DatasetOptions();

    @Mixin
    public LoadOptions load = new LoadOptions();

    @Mixin
    public RequestOptions request = new RequestOptions();

    /**
     * Reads flags as the command line would; of a flag given twice the last counts.
     *
     * @throws IllegalArgumentException naming the flag that is wrong
     */
    public static BenchConfig parse(String... flags) {
        BenchConfig config = new BenchConfig();
        try {
            new CommandLine(config).setOverwrittenOptionsAllowed(true).parseArgs(flags);
        } catch (CommandLine.ParameterException e) {
            throw new IllegalArgumentException(e.getMessage());
        }
        config.validate();
        return config;
    }

    /**
     * @throws IllegalArgumentException naming the flag that is wrong
     */
    public void validate() {
        request.tokenizePrompt = dataset.tokenizePrompt;
        request.validate(api());
        Datasets.validate(dataset);
        load.validate(Datasets.hasTimestamps(dataset));
        slosMs();
        base();
        require(warmupRequests >= 0, "--warmup-requests must not be negative, nor " + warmupRequests);
        require(requestTimeoutSec >= 1, "--request-timeout-sec must be at least 1, not " + requestTimeoutSec);
        require(flushCacheTimeout > 0, "--flush-cache-timeout must be above 0 s, not " + flushCacheTimeout);
        boolean rounds = dataset.name.equals("generated-shared-prefix") && dataset.gsp.numTurns > 1;
        require(!rounds || api() == Backend.CHAT, "--gsp-num-turns above 1 needs --backend sglang-oai-chat");
    }

    /** The API to drive. */
    public Backend api() {
        return Backend.of(backend);
    }

    /** The latency objectives by name, ms; empty if none are given. */
    public Map<String, Double> slosMs() {
        return Goodput.parse(goodput);
    }

    /** Where the server is, without a slash at the end. */
    public URI base() {
        String text = baseUrl != null ? baseUrl.replaceAll("/+$", "") : "http://" + hostInUrl() + ":" + port;
        try {
            URI uri = URI.create(text);
            if ("http".equals(uri.getScheme()) && uri.getHost() != null) {
                return uri.getPort() > 0 ? uri : URI.create("http://" + uri.getHost() + ":80" + uri.getRawPath());
            }
        } catch (IllegalArgumentException e) {
            // reported below, together with other schemes
        }
        throw new IllegalArgumentException("--base-url must be http://HOST[:PORT][/PATH], not " + text);
    }

    /** Upstream's default host 0.0.0.0 means this machine. */
    private String hostInUrl() {
        return host.equals("0.0.0.0") ? "127.0.0.1" : host.contains(":") ? "[" + host + "]" : host;
    }
}
