package dpserve.io;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * Where each process of one topology listens (docs/protocol.md section 1). All endpoints are {@code tcp://host:port};
 * worker i of a list belongs to index i.
 *
 * @param tokenizerPull per tokenizer worker: its PULL for outputs, control replies and controller notices
 * @param tokenizerPush per tokenizer worker: its bound PUSH, the request stream
 * @param detokenizer per detokenizer: its PULL
 * @param controller the controller's PULL for hellos, heartbeats and direct reports
 */
public record Endpoints(
        List<String> tokenizerPull, List<String> tokenizerPush, List<String> detokenizer, String controller) {

    /** base = HTTP port + 234: SGLang's delta of 233, plus 1 as its port_base. */
    public static final int PORT_DELTA = 234;

    /** Above this base the delta is subtracted, so that the offsets below still fit under 65535. */
    public static final int MAX_BASE = 65_000;

    private static final int MAX_PORT = 65_535;
    private static final int TOKENIZER_PULL = 0;
    private static final int DETOKENIZER = 1;
    private static final int TOKENIZER_PUSH = 4;
    private static final int CONTROLLER = 5;
    private static final int MORE_TOKENIZERS = 6;
    private static final int MORE_DETOKENIZERS = 100;

    /** Most tokenizer workers: their ports must stay below those of the detokenizers. */
    public static final int MAX_TOKENIZERS = (MORE_DETOKENIZERS - MORE_TOKENIZERS) / 2;

    /** Most detokenizers, a bound for port arithmetic. */
    public static final int MAX_DETOKENIZERS = 100;

    public Endpoints {
        tokenizerPull = List.copyOf(tokenizerPull);
        tokenizerPush = List.copyOf(tokenizerPush);
        detokenizer = List.copyOf(detokenizer);
    }

    /**
     * The default endpoints of a topology.
     *
     * @param host address without scheme, such as 127.0.0.1
     * @param httpPort the HTTP server's port
     * @throws IllegalArgumentException naming the value that is out of range
     */
    public static Endpoints of(String host, int httpPort, int tokenizers, int detokenizers) {
        requireRange("--tokenizer-worker-num", tokenizers, 1, MAX_TOKENIZERS);
        requireRange("--detokenizer-worker-num", detokenizers, 1, MAX_DETOKENIZERS);
        requireRange("--port", httpPort, 1, MAX_PORT);
        int base = httpPort + PORT_DELTA > MAX_BASE ? httpPort - PORT_DELTA : httpPort + PORT_DELTA;
        List<String> pulls = new ArrayList<>();
        List<String> pushes = new ArrayList<>();
        for (int i = 0; i < tokenizers; i++) {
            pulls.add(tcp(host, i == 0 ? base + TOKENIZER_PULL : base + MORE_TOKENIZERS + 2 * i));
            pushes.add(tcp(host, i == 0 ? base + TOKENIZER_PUSH : base + MORE_TOKENIZERS + 1 + 2 * i));
        }
        List<String> detoks = new ArrayList<>();
        for (int j = 0; j < detokenizers; j++) {
            detoks.add(tcp(host, j == 0 ? base + DETOKENIZER : base + MORE_DETOKENIZERS + j));
        }
        return new Endpoints(pulls, pushes, detoks, tcp(host, base + CONTROLLER));
    }

    /**
     * Checks one endpoint.
     *
     * @param flag named in the error
     * @throws IllegalArgumentException if it is not {@code tcp://host:port}; ipc:// gets a text of its own, because
     *     JeroMQ's ipc is loopback TCP and does not reach other ZeroMQ libraries
     */
    public static String requireTcp(String flag, String endpoint) {
        if (endpoint.startsWith("ipc://")) {
            throw new IllegalArgumentException(flag + ": ipc:// is not supported (JeroMQ has no Unix-domain sockets);"
                    + " use tcp://127.0.0.1:PORT");
        }
        int colon = endpoint.lastIndexOf(':');
        if (!endpoint.startsWith("tcp://") || colon <= "tcp://".length()) {
            throw new IllegalArgumentException(flag + ": expected tcp://HOST:PORT");
        }
        String port = endpoint.substring(colon + 1);
        if (!port.equals("*")) {
            try {
                requireRange(flag + " port", Integer.parseInt(port), 1, MAX_PORT);
            } catch (NumberFormatException e) {
                throw new IllegalArgumentException(flag + ": the port is not a number");
            }
        }
        return endpoint;
    }

    /** Whether only this machine can reach an endpoint, going by its text: no name but localhost is looked up. */
    public static boolean isLoopback(String endpoint) {
        String host = endpoint.substring("tcp://".length(), endpoint.lastIndexOf(':'));
        return host.equals("localhost") || host.equals("[::1]") || host.matches("127(\\.[0-9]{1,3}){3}");
    }

    /** Whether it has the form of {@link #requireTcp}, with a port. */
    public static boolean isTcp(String endpoint) {
        try {
            return !requireTcp("endpoint", endpoint).endsWith(":*");
        } catch (IllegalArgumentException e) {
            return false;
        }
    }

    /**
     * Checks an endpoint that a peer will be told: the address to listen on everywhere is none that anybody can connect to.
     *
     * @param flag named in the error
     * @throws IllegalArgumentException if it is such an address
     */
    public static String requireReachable(String flag, String endpoint) {
        String host = endpoint.substring("tcp://".length(), endpoint.lastIndexOf(':'));
        if (Set.of("*", "0.0.0.0", "[::]").contains(host)) {
            throw new IllegalArgumentException(
                    flag + ": other processes are told this address; give one that they can reach, not " + host);
        }
        return endpoint;
    }

    private static String tcp(String host, int port) {
        return "tcp://" + host + ":" + port;
    }

    private static void requireRange(String what, int value, int min, int max) {
        if (value < min || value > max) {
            throw new IllegalArgumentException(what + " must be " + min + " to " + max + ", not " + value);
        }
    }
}
