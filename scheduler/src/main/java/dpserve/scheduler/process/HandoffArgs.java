package dpserve.scheduler.process;

import dpserve.io.DisaggregationArgs;
import dpserve.io.DisaggregationMode;
import dpserve.io.Endpoints;
import dpserve.io.TopologyArgs;
import dpserve.scheduler.Disaggregation;
import dpserve.scheduler.EngineProfile;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** How a rank of a prefill or decode server hands KV over. */
final class HandoffArgs {
    @Mixin
    private final DisaggregationArgs disaggregation = new DisaggregationArgs();

    @Option(
            names = "--kv-transfer-gbps",
            defaultValue = "" + Disaggregation.DEFAULT_TRANSFER_GBPS,
            paramLabel = "GBPS",
            description = "Speed of a prefill rank's link, gigabits (10^9) a second: a transfer takes the time of the"
                    + " profile's KV, whatever travels here (default: ${DEFAULT-VALUE}).")
    private double transferGbps;

    @Option(
            names = "--kv-wire-bytes-per-token",
            defaultValue = "" + Disaggregation.DEFAULT_WIRE_BYTES_PER_TOKEN,
            paramLabel = "BYTES",
            description =
                    "Bytes that really travel for a token's KV, a multiple of 8, the same on both sides; the receiver"
                            + " checks each (default: ${DEFAULT-VALUE}).")
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
    record Handoff(Disaggregation template, Predicate<String> peerAllowed) {
        Disaggregation of(String kvEndpoint) {
            return new Disaggregation(
                    template.mode(),
                    kvEndpoint,
                    template.bootstrapEndpoint(),
                    template.kvBytesPerToken(),
                    template.wireBytesPerToken(),
                    template.transferNsPerByte(),
                    template.reservedDecodeTokens(),
                    template.timeoutMs());
        }
    }

    /**
     * Null for a rank that does both.
     *
     * @throws IllegalArgumentException naming the flag that is wrong
     */
    Handoff handoff(TopologyArgs topology, EngineProfile profile, double timeScale) {
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
                        profile.kvBytesPerToken(),
                        wireBytesPerToken,
                        Disaggregation.nsPerByte(transferGbps, timeScale),
                        reservedDecodeTokens,
                        TimeUnit.SECONDS.toMillis(timeoutS)),
                endpoint -> Endpoints.isTcp(endpoint) && (anywhere || Endpoints.isLoopback(endpoint)));
    }
}
