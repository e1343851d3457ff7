package dpserve.io;

import picocli.CommandLine.Option;

/** The flags that make a topology one half of a prefill/decode pair. */
public final class DisaggregationArgs {
    @Option(
            names = DisaggregationMode.FLAG,
            defaultValue = "null",
            paramLabel = "null|prefill|decode",
            description = "Which half of a prefill/decode pair this server is; null for both in one"
                    + " (default: ${DEFAULT-VALUE}).")
    private String mode;

    @Option(
            names = "--disaggregation-bootstrap-port",
            defaultValue = "" + DisaggregationMode.DEFAULT_BOOTSTRAP_PORT,
            paramLabel = "PORT",
            description =
                    "Port of a prefill server's bootstrap server, where decode ranks ask which prefill rank has their"
                            + " room (default: ${DEFAULT-VALUE}).")
    private int bootstrapPort;

    /**
     * Which half.
     *
     * @throws IllegalArgumentException naming the flag that is wrong
     */
    public DisaggregationMode mode() {
        return DisaggregationMode.parse(mode);
    }

    /**
     * The port as given.
     *
     * @throws IllegalArgumentException naming the flag that is wrong
     */
    public int bootstrapPort() {
        if (bootstrapPort < 1 || bootstrapPort > 65_535) {
            throw new IllegalArgumentException(
                    "--disaggregation-bootstrap-port must be 1 to 65535, not " + bootstrapPort);
        }
        return bootstrapPort;
    }

    /**
     * Where a prefill server's bootstrap server listens: beside its controller.
     *
     * @throws IllegalArgumentException naming the flag that is wrong
     */
    public String bootstrapEndpoint(TopologyArgs topology) {
        String controller = topology.endpoints().controller();
        String endpoint = controller.substring(0, controller.lastIndexOf(':') + 1) + bootstrapPort();
        topology.requireSecure("--disaggregation-bootstrap-port", endpoint);
        return endpoint;
    }
}
