package dpserve.scheduler.process;

import dpserve.io.DisaggregationArgs;
import dpserve.io.DisaggregationMode;
import dpserve.io.Endpoints;
import dpserve.io.TopologyArgs;
import dpserve.scheduler.Disaggregation;
import dpserve.scheduler.Engine;
import dpserve.scheduler.KvOutput;
import dpserve.scheduler.PdHalf;
import dpserve.scheduler.SimulatedEngine;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** How a rank of a prefill or decode server hands KV over. */
final class HandoffArgs {
    @Mixin
    private final DisaggregationArgs disaggregation = new DisaggregationArgs();

    @Option(
            names = Disaggregation.BOOTSTRAP_SERVERS_FLAG,
            split = ",",
            paramLabel = "HOST:PORT",
            description = "Bootstrap servers that requests to a decode server may name, letter by letter (default:"
                    + " 127.0.0.1, localhost and --zmq-host, each with --disaggregation-bootstrap-port).")
    private List<String> bootstrapServers;

    @Option(
            names = "--kv-transfer-gbps",
            defaultValue = "" + Disaggregation.DEFAULT_TRANSFER_GBPS,
            paramLabel = "GBPS",
            description = "Speed of a prefill rank's link, gigabits (10^9) a second: a transfer takes the time of the"
                    + " profile's or the model's KV, whatever travels here (default: ${DEFAULT-VALUE}).")
    private double transferGbps;

    @Option(
            names = "--kv-wire-bytes-per-token",
            defaultValue = "" + SimulatedEngine.DEFAULT_WIRE_BYTES_PER_TOKEN,
            paramLabel = "BYTES",
            description =
                    "Bytes that really travel for a token's KV, a multiple of 8, the same on both sides; the receiver"
                            + " checks each. Simulated engine only (default: ${DEFAULT-VALUE}).")
    private int wireBytesPerToken;

    @Option(
            names = "--num-reserved-decode-tokens",
            defaultValue = "" + Disaggregation.DEFAULT_RESERVED_DECODE_TOKENS,
            paramLabel = "TOKENS",
            description = "KV slots that a decode rank keeps free for each request it has before it takes another"
                    + " (default: ${DEFAULT-VALUE}).")
    private int reservedDecodeTokens;

    @Option(
            names = "--disaggregation-timeout-s",
            defaultValue = "" + Disaggregation.DEFAULT_TIMEOUT_S,
            paramLabel = "S",
            description = "A half whose other half is not heard for this long fails with 503, seconds (default:"
                    + " ${DEFAULT-VALUE}).")
    private int timeoutS;

    /**
     * What these flags describe, once the rank's own KV endpoint is known.
     *
     * @param peerAllowed whether this process may connect to an endpoint that another named
     */
    record Handoff(Disaggregation template, Engine engine, Predicate<String> peerAllowed) {
        PdHalf half(String kvEndpoint, KvOutput kv) {
            Disaggregation own = new Disaggregation(
                    template.mode(),
                    kvEndpoint,
                    template.bootstrapEndpoint(),
                    template.bootstrapServers(),
                    template.transferNsPerByte(),
                    template.reservedDecodeTokens(),
                    template.timeoutMs());
            return new PdHalf(own, engine, kv);
        }
    }

    /** What stands for a token's KV where the simulated engine hands it over. */
    int wireBytesPerToken() {
        return wireBytesPerToken;
    }

    /**
     * Null for a rank that does both.
     *
     * @throws IllegalArgumentException naming the flag that is wrong
     */
    Handoff handoff(TopologyArgs topology, Engine engine, double timeScale) {
        DisaggregationMode mode = disaggregation.mode();
        if (mode == DisaggregationMode.NULL) {
            return null;
        }
        if (!(transferGbps > 0 && transferGbps < Double.POSITIVE_INFINITY)) {
            throw new IllegalArgumentException("--kv-transfer-gbps must be above 0, not " + transferGbps);
        }
        if (reservedDecodeTokens < 0 || timeoutS < 1) {
            throw new IllegalArgumentException(
                    "--num-reserved-decode-tokens must be at least 0, --disaggregation-timeout-s at least 1");
        }
        boolean anywhere = topology.curveKeys != null || topology.insecureRemote;
        return new Handoff(
                new Disaggregation(
                        mode,
                        null,
                        mode == DisaggregationMode.PREFILL ? disaggregation.bootstrapEndpoint(topology) : null,
                        bootstrapServers(topology),
                        Disaggregation.nsPerByte(transferGbps, timeScale),
                        reservedDecodeTokens,
                        TimeUnit.SECONDS.toMillis(timeoutS)),
                engine,
                endpoint -> Endpoints.isTcp(endpoint) && (anywhere || Endpoints.isLoopback(endpoint)));
    }

    private Set<String> bootstrapServers(TopologyArgs topology) {
        Set<String> endpoints = new HashSet<>();
        if (bootstrapServers == null) {
            for (String host : List.of("127.0.0.1", "localhost", topology.zmqHost)) {
                endpoints.add("tcp://" + host + ":" + disaggregation.bootstrapPort());
            }
            return endpoints;
        }
        for (String server : bootstrapServers) {
            String endpoint = "tcp://" + server;
            if (!Endpoints.isTcp(endpoint)) {
                throw new IllegalArgumentException(
                        Disaggregation.BOOTSTRAP_SERVERS_FLAG + ": expected HOST:PORT, not " + server);
            }
            topology.requireSecure(Disaggregation.BOOTSTRAP_SERVERS_FLAG, endpoint);
            endpoints.add(endpoint);
        }
        return endpoints;
    }
}
