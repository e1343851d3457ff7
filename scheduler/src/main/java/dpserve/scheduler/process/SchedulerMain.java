package dpserve.scheduler.process;

import dpserve.io.DisaggregationMode;
import dpserve.io.Endpoints;
import dpserve.io.Env;
import dpserve.io.LoadReport;
import dpserve.io.ModelArgs;
import dpserve.io.SimulatedModel;
import dpserve.io.TopologyArgs;
import dpserve.io.codec.IntArrayForm;
import dpserve.io.model.Providers;
import dpserve.io.model.StepModel;
import dpserve.io.process.CommandRunner;
import dpserve.io.process.ShutdownSignal;
import dpserve.io.socket.BindException;
import dpserve.io.socket.Contexts;
import dpserve.scheduler.Engine;
import dpserve.scheduler.EngineProfile;
import dpserve.scheduler.ModelEngine;
import dpserve.scheduler.SimulatedEngine;
import java.io.IOException;
import java.io.Reader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Properties;
import java.util.concurrent.Callable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Starts the scheduler of one rank. */
@Command(
        name = "scheduler",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = "Runs one data-parallel rank: queue, batches, KV pool and engine.")
public final class SchedulerMain implements Callable<Integer> {
    private static final Logger LOG = LoggerFactory.getLogger(SchedulerMain.class);

    /** A heartbeat a minute is no sign of life any more. */
    private static final int MAX_HEARTBEAT_INTERVAL_MS = 60_000;

    @Mixin
    private final TopologyArgs topology = new TopologyArgs();

    @Mixin
    private final ModelArgs model = new ModelArgs();

    @Mixin
    private final SchedulerArgs scheduler = new SchedulerArgs();

    @Mixin
    private final HandoffArgs handoff = new HandoffArgs();

    @Option(
            names = "--dp-rank",
            defaultValue = "0",
            paramLabel = "RANK",
            description = "Which rank this is, from 0 (default: ${DEFAULT-VALUE}).")
    private int dpRank;

    @Option(
            names = "--input-endpoint",
            paramLabel = "tcp://HOST:PORT",
            description = "Where this rank takes requests; port * for a free one. Only for the first incarnation, each"
                    + " further one takes a free port (default: tcp://<host>:*).")
    private String inputEndpoint;

    @Option(
            names = "--engine-profile",
            paramLabel = "FILE",
            description = "Properties file with the modelled step times in milliseconds (default: the decode server of"
                    + " the experiment, 48.1 ms at 25 requests and 17,100 tokens).")
    private Path engineProfile;

    @Option(
            names = "--engine-threads",
            paramLabel = "N",
            description = "CPU threads that compute a step of --engine llama (default: the processors shared among the"
                    + " ranks, at least 1).")
    private Integer engineThreads;

    @Option(
            names = "--time-scale",
            defaultValue = "1.0",
            paramLabel = "FACTOR",
            description = "Wall time for one unit of modelled time; 0 for no waiting (default: ${DEFAULT-VALUE}).")
    private double timeScale;

    @Option(
            names = "--heartbeat-interval-ms",
            defaultValue = "200",
            paramLabel = "MS",
            description = "Milliseconds between two heartbeats (default: ${DEFAULT-VALUE}).")
    private int heartbeatIntervalMs;

    @Option(
            names = "--enable-dp-attention",
            description = "The ranks step together: a step lasts as long as the slowest rank's, idle ranks take part"
                    + " (default: false).")
    private boolean dpAttention;

    @Option(
            names = "--step-log",
            paramLabel = "FOLDER",
            description = "Writes what the rank held at the end of each step to steps-<dp_rank>.csv there"
                    + " (default: no log).")
    private Path stepLog;

    @Option(
            names = "--load-report",
            defaultValue = "piggyback",
            paramLabel = "PATH",
            description = "How loads reach the controller: piggyback, watch, accounting or direct; with direct a"
                    + " heartbeat also follows each step (default: ${DEFAULT-VALUE}).")
    private LoadReport loadReport;

    @Option(
            names = "--token-id-form",
            defaultValue = "int32",
            paramLabel = "int32|int64",
            description = "How token ids are written towards the detokenizers: int32 between Java processes, int64"
                    + " towards SGLang's (default: ${DEFAULT-VALUE}).")
    private String tokenIdForm;

    @Option(
            names = "--sglang-controller",
            description =
                    "The controller is SGLang's own: this rank connects to --input-endpoint, where that controller"
                            + " listens, and neither registers nor sends heartbeats.")
    private boolean sglangController;

    public static void main(String[] args) {
        CommandRunner.run(new SchedulerMain(), args);
    }

    @Override
    public Integer call() throws BindException, InterruptedException {
        if (!model.isReal()) {
            return serve(null, new SimulatedEngine(simulatedModel(), profile(), handoff.wireBytesPerToken()));
        }
        if (dpAttention) {
            throw new IllegalArgumentException("--enable-dp-attention needs the simulated engine");
        }
        try (StepModel loaded =
                Providers.engine(model.engine()).engine(model.modelPath(), scheduler.modelOptions(threads()))) {
            LOG.info("model {}: {}, context {}", model.modelPath(), loaded.description(), loaded.contextLength());
            return serve(loaded, new ModelEngine(loaded));
        }
    }

    /** With another vocabulary the model speaks that one's words. */
    private SimulatedModel simulatedModel() {
        Path tokenizer = model.tokenizerPath();
        return tokenizer == null
                ? SimulatedModel.create()
                : SimulatedModel.of(Providers.vocabulary(ModelArgs.HUGGING_FACE).vocabulary(tokenizer, null));
    }

    private int threads() {
        if (engineThreads != null && engineThreads < 1) {
            throw new IllegalArgumentException("--engine-threads must be at least 1, not " + engineThreads);
        }
        int share = Runtime.getRuntime().availableProcessors() / Math.max(1, topology.dpSize);
        return engineThreads == null ? Math.max(1, share) : engineThreads;
    }

    /** @param loaded null for the simulated engine */
    private int serve(StepModel loaded, Engine engine) throws BindException, InterruptedException {
        RankConfig config = config(loaded, engine);
        ShutdownSignal signal = ShutdownSignal.install();
        try (SchedulerProcess process = new SchedulerProcess(config, engine, Contexts.create(topology.keys()))) {
            LOG.info(
                    "READY scheduler dp_rank={} input={} incarnation={} max_total_num_tokens={}",
                    dpRank,
                    process.inputEndpoint(),
                    process.incarnation(),
                    config.scheduler().maxTotalTokens());
            signal.whenRequested(process::wake);
            process.run(signal::isRequested);
        } finally {
            signal.completed();
        }
        return 0;
    }

    private RankConfig config(StepModel loaded, Engine engine) {
        Endpoints endpoints = topology.endpoints();
        int last = topology.dpSize - 1;
        if (dpRank < 0 || dpRank > last) {
            throw new IllegalArgumentException("--dp-rank must be 0 to " + last + ", not " + dpRank);
        }
        if (!(timeScale >= 0 && timeScale < Double.POSITIVE_INFINITY)) {
            throw new IllegalArgumentException("--time-scale must be a number of at least 0");
        }
        if (sglangController && (inputEndpoint == null || inputEndpoint.endsWith(":*"))) {
            throw new IllegalArgumentException("--sglang-controller needs --input-endpoint with a port");
        }
        if (heartbeatIntervalMs < 1 || heartbeatIntervalMs > MAX_HEARTBEAT_INTERVAL_MS) {
            throw new IllegalArgumentException("--heartbeat-interval-ms must be 1 to " + MAX_HEARTBEAT_INTERVAL_MS
                    + ", not " + heartbeatIntervalMs);
        }
        String input = Endpoints.requireTcp(
                "--input-endpoint", inputEndpoint == null ? "tcp://" + topology.zmqHost + ":*" : inputEndpoint);
        topology.requireSecure("--input-endpoint", input);
        if (inputEndpoint != null) {
            Endpoints.requireReachable("--input-endpoint", input);
        }
        return new RankConfig(
                scheduler.config(dpRank, endpoints.detokenizer().size(), Env.system(), loaded),
                endpoints,
                input,
                form(),
                timeScale,
                heartbeatIntervalMs,
                dpAttention,
                stepLog,
                sglangController,
                loadReport,
                handoff(engine));
    }

    private HandoffArgs.Handoff handoff(Engine engine) {
        HandoffArgs.Handoff wanted = handoff.handoff(topology, engine, timeScale);
        if (wanted != null && sglangController) {
            throw new IllegalArgumentException(DisaggregationMode.FLAG + " needs this project's own controller");
        }
        return wanted;
    }

    private EngineProfile profile() {
        if (engineProfile == null) {
            return EngineProfile.defaultProfile();
        }
        Properties properties = new Properties();
        try (Reader in = Files.newBufferedReader(engineProfile, StandardCharsets.UTF_8)) {
            properties.load(in);
        } catch (IOException e) {
            throw new IllegalArgumentException("--engine-profile: cannot read " + engineProfile);
        }
        return EngineProfile.of(properties);
    }

    private IntArrayForm form() {
        return switch (tokenIdForm) {
            case "int32" -> IntArrayForm.INT32;
            case "int64" -> IntArrayForm.INT64;
            default -> throw new IllegalArgumentException("--token-id-form must be int32 or int64");
        };
    }
}
