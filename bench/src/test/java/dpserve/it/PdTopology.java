package dpserve.it;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;

/** A pair of servers and their router, started and stopped by scripts/launch-pd.sh. */
final class PdTopology implements AutoCloseable {
    static final Duration BACK = Duration.ofSeconds(60);

    private static final Duration START_TIMEOUT = Duration.ofSeconds(120);
    private static final Duration EMPTY_TIMEOUT = Duration.ofSeconds(40);
    private static final ObjectMapper JSON = new ObjectMapper();

    private final Path folder;
    private final Script launcher;
    private final int port;
    private final Map<String, Integer> ports;

    private PdTopology(Path folder, Script launcher, int port, Map<String, Integer> ports) {
        this.folder = folder;
        this.launcher = launcher;
        this.port = port;
        this.ports = ports;
    }

    static PdTopology start(String... flags) throws IOException {
        Path folder = Files.createTempDirectory("dpserve pd ").toRealPath();
        int port = Ports.free();
        Map<String, Integer> ports = Map.of("prefill", Ports.free(), "decode", Ports.free());
        List<String> arguments = new ArrayList<>(List.of(
                "--no-build",
                "--port=" + port,
                "--prefill-port=" + ports.get("prefill"),
                "--decode-port=" + ports.get("decode"),
                "--disaggregation-bootstrap-port=" + Ports.free(),
                "--run-dir=" + folder.resolve("run folder")));
        arguments.addAll(List.of(flags));
        Script launcher = Script.start(folder, Map.of(), "launch-pd.sh", arguments);
        PdTopology pd = new PdTopology(folder, launcher, port, ports);
        await().atMost(START_TIMEOUT)
                .until(() -> !launcher.isRunning() || launcher.output().contains("PD router;"));
        assertThat(launcher.isRunning()).as(launcher.output()).isTrue();
        return pd;
    }

    /** Of the router. */
    Api api() {
        return new Api(URI.create("http://127.0.0.1:" + port));
    }

    private Api server(String half) {
        return new Api(URI.create("http://127.0.0.1:" + ports.get(half)));
    }

    private JsonNode description(String half) {
        try {
            return JSON.readTree(folder.resolve("run folder")
                    .resolve(half)
                    .resolve("topology.json")
                    .toFile());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** SIGKILL to a rank. */
    void kill(String half, int dpRank) {
        for (JsonNode process : description(half).get("processes")) {
            if (process.get("dp_rank").asInt(-1) == dpRank) {
                Signals.send("KILL", process.get("pid").asLong());
            }
        }
    }

    /** Kills a rank as soon as KV is on its way between the two servers. */
    CompletableFuture<Void> killWhileTransferring(String half, int dpRank) {
        return CompletableFuture.runAsync(() -> {
            await().atMost(BACK)
                    .pollInterval(Duration.ofMillis(20))
                    .until(() ->
                            sum("decode", "decode_transfer_queue") > 0 && sum("prefill", "prefill_inflight_queue") > 0);
            kill(half, dpRank);
        });
    }

    /** The entries of a table on all processes of a server. */
    long sum(String half, String table) {
        long sum = 0;
        for (JsonNode process : ServerInfo.processes(server(half))) {
            sum += process.path("tables").path(table).asLong();
        }
        return sum;
    }

    /** Waits until every table of both servers is empty. */
    void awaitEmpty() {
        for (String half : ports.keySet()) {
            await().atMost(EMPTY_TIMEOUT).untilAsserted(() -> ServerInfo.awaitEmpty(server(half)));
        }
    }

    /** Attempts after the first, by the router's count. */
    double retries() {
        return api().get("/metrics")
                .body()
                .lines()
                .filter(line -> line.startsWith("dpserve_router_retries_total "))
                .mapToDouble(line -> Double.parseDouble(line.substring(line.indexOf(' '))))
                .findFirst()
                .orElseThrow();
    }

    @Override
    public void close() throws IOException {
        List<Long> pids = new ArrayList<>();
        for (String half : ports.keySet()) {
            description(half)
                    .get("processes")
                    .forEach(p -> pids.add(p.get("pid").asLong()));
        }
        launcher.signal("INT");
        int status = launcher.exitStatus();
        assertThat(pids).as("processes after the stop").noneMatch(Signals::isAlive);
        assertThat(status).as("exit status: %s", launcher.output()).isZero();
        try (Stream<Path> paths = Files.walk(folder)) {
            for (Path path : paths.sorted((a, b) -> b.compareTo(a)).toList()) {
                Files.delete(path);
            }
        }
    }
}
