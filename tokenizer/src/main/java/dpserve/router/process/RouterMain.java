package dpserve.router.process;

import dpserve.io.DisaggregationMode;
import dpserve.io.process.CommandRunner;
import dpserve.io.process.ShutdownSignal;
import dpserve.router.PairChoice;
import dpserve.router.http.PdRouter;
import dpserve.tokenizer.http.ApiKeys;
import dpserve.tokenizer.http.HttpServer;
import dpserve.tokenizer.http.Router;
import java.net.URI;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Starts the PD router: one HTTP address in front of prefill and decode servers. */
@Command(
        name = "router",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = "Sends each request to a prefill and a decode server and passes the decode server's answer on.")
public final class RouterMain implements Callable<Integer> {
    private static final Logger LOG = LoggerFactory.getLogger(RouterMain.class);

    /** SGLang's router in the experiment of PR #11469 listened here. */
    private static final int DEFAULT_PORT = 8000;

    /** As the servers' own. */
    private static final int DEFAULT_MAX_BODY_BYTES = 32 << 20;

    /** Three connections and file descriptors each: 12,288, under the 20,000 that some systems allow a process. */
    private static final int DEFAULT_MAX_REQUESTS = 4_096;

    /**
     * A quarter, of the bodies as they are kept; as much may wait to be read, and on their way to the servers they take up to a
     * quarter again.
     */
    private static final int BODIES_PART_OF_HEAP = 4;

    private static final int DEFAULT_HTTP_PORT = 80;

    @Option(
            names = "--host",
            defaultValue = "127.0.0.1",
            description = "Address of the router (default: ${DEFAULT-VALUE}).")
    private String host;

    @Option(
            names = "--port",
            defaultValue = "" + DEFAULT_PORT,
            description = "Port of the router (default: ${DEFAULT-VALUE}).")
    private int port;

    @Option(
            names = "--prefill",
            required = true,
            paramLabel = "URL[,BOOTSTRAP_PORT]",
            description = "A prefill server, and the port of its bootstrap server (default: "
                    + DisaggregationMode.DEFAULT_BOOTSTRAP_PORT + "). May be repeated.")
    private List<String> prefills;

    @Option(names = "--decode", required = true, paramLabel = "URL", description = "A decode server. May be repeated.")
    private List<String> decodes;

    @Option(
            names = "--max-request-bytes",
            defaultValue = "" + DEFAULT_MAX_BODY_BYTES,
            description = "Longest HTTP request body, bytes (default: ${DEFAULT-VALUE}).")
    private int maxRequestBytes;

    @Option(
            names = "--max-concurrent-requests",
            defaultValue = "" + DEFAULT_MAX_REQUESTS,
            description = "Most requests at a time; one more is refused with 503 (default: ${DEFAULT-VALUE}).")
    private int maxConcurrentRequests;

    public static void main(String[] args) {
        CommandRunner.run(new RouterMain(), args);
    }

    @Override
    public Integer call() throws Exception {
        if (maxConcurrentRequests < 1) {
            throw new IllegalArgumentException("--max-concurrent-requests must be at least 1");
        }
        PairChoice pairs = pairs();
        ShutdownSignal signal = ShutdownSignal.install();
        try (HttpServer server = new HttpServer(System::nanoTime)) {
            SecureRandom random = new SecureRandom();
            // Below 2^62: a request with several sequences takes the rooms after its own as well.
            PdRouter.Limits limits = new PdRouter.Limits(
                    maxConcurrentRequests, Runtime.getRuntime().maxMemory() / BODIES_PART_OF_HEAP);
            PdRouter router = new PdRouter(server.loop(), pairs, () -> random.nextLong() >>> 2, limits);
            Router endpoints = new Router(server.loop(), Router.longBodies(), new ApiKeys(null, null));
            router.addTo(endpoints);
            server.listen(host, port, maxRequestBytes, endpoints);
            LOG.info("READY router http=http://{}:{}", host, port);
            signal.await();
        } finally {
            signal.completed();
        }
        return 0;
    }

    private PairChoice pairs() {
        List<PairChoice.Prefill> first = new ArrayList<>();
        for (String text : prefills) {
            String[] parts = text.split(",", 2);
            int bootstrap = DisaggregationMode.DEFAULT_BOOTSTRAP_PORT;
            if (parts.length > 1) {
                if (!parts[1].matches("[0-9]{1,5}")) {
                    throw new IllegalArgumentException("--prefill: " + parts[1] + " is no port");
                }
                bootstrap = Integer.parseInt(parts[1]);
            }
            first.add(new PairChoice.Prefill(url("--prefill", parts[0]), bootstrap));
        }
        return new PairChoice(
                first, decodes.stream().map(text -> url("--decode", text)).toList());
    }

    private static URI url(String flag, String text) {
        URI url;
        try {
            url = URI.create(text);
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException(flag + ": " + text + " is no URL");
        }
        if (!"http".equals(url.getScheme()) || url.getHost() == null) {
            throw new IllegalArgumentException(flag + " must be http://HOST:PORT, not " + text);
        }
        int urlPort = url.getPort() < 0 ? DEFAULT_HTTP_PORT : url.getPort();
        return URI.create("http://" + url.getHost() + ":" + urlPort);
    }
}
