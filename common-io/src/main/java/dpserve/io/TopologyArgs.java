package dpserve.io;

import dpserve.io.socket.CurveKeys;
import java.nio.file.Path;
import java.util.List;
import picocli.CommandLine.Option;

/** The flags every process takes: how large the topology is and where its parts listen. */
public final class TopologyArgs {

    /** SGLang's default HTTP port. */
    public static final int DEFAULT_PORT = 30_000;

    @Option(
            names = "--host",
            defaultValue = "127.0.0.1",
            description = "Address of the HTTP server (default: ${DEFAULT-VALUE}).")
    public String host;

    @Option(
            names = "--zmq-host",
            defaultValue = "127.0.0.1",
            description = "Address of all default ZeroMQ endpoints (default: ${DEFAULT-VALUE}).")
    public String zmqHost;

    @Option(
            names = "--curve-keys",
            paramLabel = "FOLDER",
            description =
                    "Encrypt every ZeroMQ connection and take only peers with the key pair in this folder (made by"
                            + " scripts/make-curve-keys.sh).")
    public Path curveKeys;

    @Option(
            names = "--insecure-remote",
            description =
                    "Allow ZeroMQ endpoints beyond loopback without --curve-keys: whoever reaches them may read and"
                            + " write everything.")
    public boolean insecureRemote;

    @Option(
            names = "--port",
            defaultValue = "" + DEFAULT_PORT,
            description = "HTTP port; the default endpoints lie 234 above it (default: ${DEFAULT-VALUE}).")
    public int port;

    @Option(
            names = {"--dp-size", "--data-parallel-size"},
            defaultValue = "1",
            description = "Number of data-parallel ranks (default: ${DEFAULT-VALUE}).")
    public int dpSize;

    @Option(
            names = "--tokenizer-worker-num",
            defaultValue = "1",
            description = "Number of tokenizer workers; they share the HTTP port (default: ${DEFAULT-VALUE}).")
    public int tokenizerWorkerNum;

    @Option(
            names = "--detokenizer-worker-num",
            defaultValue = "1",
            description = "Number of detokenizers (default: ${DEFAULT-VALUE}).")
    public int detokenizerWorkerNum;

    @Option(
            names = "--tokenizer-pull-endpoints",
            split = ",",
            paramLabel = "tcp://HOST:PORT",
            description = "PULL endpoint of each tokenizer worker, in worker order (default: from --port).")
    public List<String> tokenizerPullEndpoints;

    @Option(
            names = "--tokenizer-push-endpoints",
            split = ",",
            paramLabel = "tcp://HOST:PORT",
            description = "PUSH endpoint (request stream) of each tokenizer worker (default: from --port).")
    public List<String> tokenizerPushEndpoints;

    @Option(
            names = "--detokenizer-endpoints",
            split = ",",
            paramLabel = "tcp://HOST:PORT",
            description = "PULL endpoint of each detokenizer, in order (default: from --port).")
    public List<String> detokenizerEndpoints;

    @Option(
            names = "--controller-endpoint",
            paramLabel = "tcp://HOST:PORT",
            description = "PULL endpoint of the controller (default: from --port).")
    public String controllerEndpoint;

    /** Most ranks: bounds the arrays indexed by dp_rank. */
    public static final int MAX_DP_SIZE = 4096;

    /**
     * The endpoints these flags describe.
     *
     * @throws IllegalArgumentException naming the flag that is wrong
     */
    public Endpoints endpoints() {
        if (dpSize < 1 || dpSize > MAX_DP_SIZE) {
            throw new IllegalArgumentException("--dp-size must be 1 to " + MAX_DP_SIZE + ", not " + dpSize);
        }
        Endpoints d = Endpoints.of(zmqHost, port, tokenizerWorkerNum, detokenizerWorkerNum);
        Endpoints all = new Endpoints(
                pick("--tokenizer-pull-endpoints", tokenizerPullEndpoints, d.tokenizerPull()),
                pick("--tokenizer-push-endpoints", tokenizerPushEndpoints, d.tokenizerPush()),
                pick("--detokenizer-endpoints", detokenizerEndpoints, d.detokenizer()),
                controllerEndpoint == null
                        ? d.controller()
                        : Endpoints.requireTcp("--controller-endpoint", controllerEndpoint));
        all.tokenizerPull().forEach(e -> requireSecure("--tokenizer-pull-endpoints", e));
        all.tokenizerPush().forEach(e -> requireSecure("--tokenizer-push-endpoints", e));
        all.detokenizer().forEach(e -> requireSecure("--detokenizer-endpoints", e));
        requireSecure("--controller-endpoint", all.controller());
        return all;
    }

    /**
     * Checks that an endpoint is on this machine or its connections will be encrypted.
     *
     * @param flag named in the error
     * @throws IllegalArgumentException if neither is so and {@code --insecure-remote} was not given
     */
    public void requireSecure(String flag, String endpoint) {
        if (curveKeys == null && !insecureRemote && !Endpoints.isLoopback(endpoint)) {
            throw new IllegalArgumentException(flag + ": " + endpoint
                    + " is not on loopback: give --curve-keys FOLDER, or --insecure-remote to go without");
        }
    }

    /**
     * The keys of {@code --curve-keys}, or null.
     *
     * @throws IllegalArgumentException if they cannot be used
     */
    public CurveKeys keys() {
        return curveKeys == null ? null : CurveKeys.load(curveKeys);
    }

    private static List<String> pick(String flag, List<String> given, List<String> defaults) {
        if (given == null) {
            return defaults;
        }
        if (given.size() != defaults.size()) {
            throw new IllegalArgumentException(
                    flag + ": expected " + defaults.size() + " endpoints, not " + given.size());
        }
        given.forEach(e -> Endpoints.requireTcp(flag, e));
        return given;
    }
}
