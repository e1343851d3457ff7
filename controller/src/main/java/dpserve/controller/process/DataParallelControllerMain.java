package dpserve.controller.process;

import dpserve.controller.ControllerConfig;
import dpserve.controller.policy.Policies;
import dpserve.io.DisaggregationArgs;
import dpserve.io.DisaggregationMode;
import dpserve.io.Endpoints;
import dpserve.io.Env;
import dpserve.io.Incarnation;
import dpserve.io.LoadReport;
import dpserve.io.TopologyArgs;
import dpserve.io.process.CommandRunner;
import dpserve.io.process.ShutdownSignal;
import dpserve.io.socket.BindException;
import dpserve.io.socket.Contexts;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.Callable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.zeromq.ZContext;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Starts the data-parallel controller: dispatches requests to ranks and keeps account of them. */
@Command(
        name = "controller",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = "Dispatches requests to the data-parallel ranks and keeps account of them.")
public final class DataParallelControllerMain implements Callable<Integer> {
    private static final Logger LOG = LoggerFactory.getLogger(DataParallelControllerMain.class);

    /** Shortest rank timeout: the loop looks every 50 ms, and less than a few looks would be noise. */
    private static final int MIN_RANK_TIMEOUT_MS = 200;

    @Mixin
    private final TopologyArgs topology = new TopologyArgs();

    @Mixin
    private final DisaggregationArgs disaggregation = new DisaggregationArgs();

    @Option(
            names = "--prefill-round-robin-balance",
            description =
                    "With --disaggregation-mode prefill, round_robin means bootstrap_room modulo the ranks, so that"
                            + " the other half knows the rank (default: false).")
    private boolean prefillRoundRobinBalance;

    @Option(
            names = "--load-balance-method",
            defaultValue = Policies.DEFAULT_METHOD,
            completionCandidates = Methods.class,
            description =
                    "How a rank is chosen: ${COMPLETION-CANDIDATES}; auto is round_robin, and follow_bootstrap_room on"
                            + " a prefill server (default: ${DEFAULT-VALUE}).")
    private String loadBalanceMethod;

    @Option(
            names = "--load-report",
            defaultValue = "piggyback",
            description = "How loads reach the controller: watch, piggyback, accounting or direct; with direct it uses"
                    + " the loads in heartbeats (default: ${DEFAULT-VALUE}).")
    private LoadReport loadReport;

    @Option(
            names = "--heartbeat-interval-ms",
            defaultValue = "200",
            description = "How often the ranks send a heartbeat, ms (default: ${DEFAULT-VALUE}).")
    private int heartbeatIntervalMs;

    @Option(
            names = "--rank-timeout-ms",
            defaultValue = "800",
            description = "A rank without heartbeat for this long is dead, ms (default: ${DEFAULT-VALUE}).")
    private int rankTimeoutMs;

    @Option(
            names = "--no-rank-timeout-ms",
            defaultValue = "5000",
            description = "How long a request waits while no rank is up, ms; then it is refused with 503 (default:"
                    + " ${DEFAULT-VALUE}).")
    private int noRankTimeoutMs;

    @Option(
            names = "--max-requests-per-rank",
            defaultValue = "" + ControllerConfig.Limits.DEFAULT_RANK_CREDIT,
            description = "Most requests in flight on one rank; while all ranks have so many, requests wait at the"
                    + " controller (default: ${DEFAULT-VALUE}).")
    private int maxRequestsPerRank;

    @Option(
            names = "--max-queue-bytes",
            defaultValue = "" + ControllerConfig.Limits.DEFAULT_QUEUE_BYTES,
            description =
                    "Most bytes of requests that wait at the controller for a rank; further ones get 503 (default:"
                            + " ${DEFAULT-VALUE}).")
    private long maxQueueBytes;

    @Option(
            names = "--decision-log",
            paramLabel = "FILE",
            description = "Writes every decision there, for scripts/dev/replay-decisions.sh (default: no log).")
    private Path decisionLog;

    @Option(
            names = "--decision-log-max-mb",
            defaultValue = "512",
            description = "Largest size of the decision log, MiB; what exceeds it is dropped and counted (default:"
                    + " ${DEFAULT-VALUE}).")
    private int decisionLogMaxMb;

    @Option(
            names = "--time-scale",
            defaultValue = "1.0",
            description = "Factor on every period of the load balancing (default: ${DEFAULT-VALUE}).")
    private double timeScale;

    @Option(
            names = "--input",
            paramLabel = "tcp://HOST:PORT",
            description = "PUSH of a request stream that need not say hello, such as SGLang's tokenizer or a benchmark;"
                    + " may be repeated. Given, the tokenizer workers' streams are not connected to.")
    private List<String> inputs = List.of();

    @Option(
            names = "--worker-endpoints",
            split = ",",
            paramLabel = "tcp://HOST:PORT",
            description = "Endpoints to listen on for legacy ranks, in dp_rank order, such as SGLang's schedulers: the"
                    + " rank connects, never registers, and lives while connected. Sets the number of ranks.")
    private List<String> workerEndpoints = List.of();

    /** The names for {@code --help}. */
    private static final class Methods implements Iterable<String> {
        @Override
        public Iterator<String> iterator() {
            return Policies.names().iterator();
        }
    }

    public static void main(String[] args) {
        CommandRunner.run(new DataParallelControllerMain(), args);
    }

    @Override
    public Integer call() throws BindException {
        ProcessConfig config = config();
        ShutdownSignal signal = ShutdownSignal.install();
        ZContext context = Contexts.create(topology.keys());
        try (ControllerProcess process = new ControllerProcess(config, context);
                BootstrapServer bootstrap = bootstrap(context)) {
            LOG.info("READY controller{}{}", endpoints(process), bootstrap == null ? "" : " bootstrap");
            process.run(signal::isRequested);
        } finally {
            signal.completed();
        }
        return 0;
    }

    /** Null unless this is a prefill server. */
    private BootstrapServer bootstrap(ZContext context) throws BindException {
        if (disaggregation.mode() != DisaggregationMode.PREFILL) {
            return null;
        }
        boolean anywhere = topology.curveKeys != null || topology.insecureRemote;
        return new BootstrapServer(
                context,
                disaggregation.bootstrapEndpoint(topology),
                endpoint -> Endpoints.isTcp(endpoint) && (anywhere || Endpoints.isLoopback(endpoint)));
    }

    /** SGLang resolves auto the same way; and before 2026 its round_robin on a prefill server meant the room. */
    private String method() {
        boolean prefill = disaggregation.mode() == DisaggregationMode.PREFILL;
        boolean byRoom = Policies.DEFAULT_METHOD.equals(loadBalanceMethod)
                || (prefillRoundRobinBalance && "round_robin".equals(loadBalanceMethod));
        return prefill && byRoom ? Policies.FOLLOW_BOOTSTRAP_ROOM : loadBalanceMethod;
    }

    private static String endpoints(ControllerProcess process) {
        StringBuilder words = new StringBuilder();
        if (process.endpoint() != null) {
            words.append(" pull=").append(process.endpoint());
        }
        for (String rank : process.rankEndpoints()) {
            words.append(" push=").append(rank);
        }
        return words.toString();
    }

    ProcessConfig config() {
        Endpoints endpoints = topology.endpoints();
        check();
        boolean alone = !inputs.isEmpty() && !workerEndpoints.isEmpty() && topology.controllerEndpoint == null;
        int legacyRanks = workerEndpoints.size();
        ControllerConfig core = new ControllerConfig(
                legacyRanks == 0 ? topology.dpSize : Math.max(legacyRanks, topology.dpSize),
                legacyRanks,
                inputs.isEmpty() ? endpoints.tokenizerPull() : List.of(),
                new Incarnation().next(System.currentTimeMillis()),
                ProcessHandle.current().pid(),
                rankTimeoutMs * 1_000_000L,
                noRankTimeoutMs * 1_000_000L,
                new ControllerConfig.Limits(maxRequestsPerRank, maxQueueBytes));
        int budgetInterval =
                Env.system().integer(Policies.BUDGET_INTERVAL, Policies.DEFAULT_BUDGET_INTERVAL, 1, Integer.MAX_VALUE);
        return new ProcessConfig(
                core,
                inputs.isEmpty() ? endpoints.tokenizerPush() : List.of(),
                inputs,
                workerEndpoints,
                alone ? null : endpoints.controller(),
                method(),
                loadReport,
                decisionLog,
                (long) decisionLogMaxMb << 20,
                timeScale,
                budgetInterval);
    }

    private void check() {
        if (maxRequestsPerRank < 1 || maxQueueBytes < 1) {
            throw new IllegalArgumentException("--max-requests-per-rank and --max-queue-bytes must be at least 1");
        }
        inputs.forEach(e -> Endpoints.requireTcp("--input", e));
        workerEndpoints.forEach(e -> Endpoints.requireTcp("--worker-endpoints", e));
        if (workerEndpoints.size() > TopologyArgs.MAX_DP_SIZE) {
            throw new IllegalArgumentException(
                    "--worker-endpoints: at most " + TopologyArgs.MAX_DP_SIZE + " endpoints");
        }
        if (heartbeatIntervalMs < 1) {
            throw new IllegalArgumentException("--heartbeat-interval-ms must be at least 1");
        }
        if (rankTimeoutMs < Math.max(MIN_RANK_TIMEOUT_MS, 2L * heartbeatIntervalMs)) {
            throw new IllegalArgumentException(
                    "--rank-timeout-ms must be at least " + MIN_RANK_TIMEOUT_MS + " and twice --heartbeat-interval-ms");
        }
        if (decisionLogMaxMb < 1) {
            throw new IllegalArgumentException("--decision-log-max-mb must be at least 1");
        }
        if (noRankTimeoutMs < 0) {
            throw new IllegalArgumentException("--no-rank-timeout-ms must be at least 0");
        }
        if (!(timeScale >= 0 && timeScale < Double.POSITIVE_INFINITY)) {
            throw new IllegalArgumentException("--time-scale must be a number of at least 0");
        }
        Policies.create(loadBalanceMethod, new Policies.Settings(timeScale, 1));
    }
}
