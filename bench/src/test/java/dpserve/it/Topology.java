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
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.AssertionFailureBuilder;

/**
 * A running topology, started and stopped by the real scripts in a run folder of its own, whose path has a space. Closing
 * it asserts that its processes ended by themselves and that no log holds an error.
 */
final class Topology implements AutoCloseable {
    private static final Duration START_TIMEOUT = Duration.ofSeconds(90);
    private static final Duration REAP_TIMEOUT = Duration.ofSeconds(2);
    private static final ObjectMapper JSON = new ObjectMapper();

    private final Path folder;
    private final int port;
    private final Script launcher;
    private final List<String> killed = new ArrayList<>();
    private List<ProcessInfo> processes = List.of();
    private boolean closed;

    /** One entry of topology.json; {@code dpRank} is -1 for a process that is no rank. */
    record ProcessInfo(String role, int dpRank, long pid, Map<String, String> endpoints, Path log) {}

    private Topology(Path folder, int port, Script launcher) {
        this.folder = folder;
        this.port = port;
        this.launcher = launcher;
    }

    /** Starts a topology on free ports and waits until it is ready. */
    static Topology start(String... flags) {
        return start(Map.of(), flags);
    }

    /** As {@link #start(String...)}, with more environment variables. */
    static Topology start(Map<String, String> environment, String... flags) {
        Topology topology = launch(environment, flags);
        try {
            topology.awaitReady();
            return topology;
        } catch (AssertionError | RuntimeException e) {
            topology.launcher.signal("TERM");
            topology.launcher.exitStatus();
            topology.deleteFolder();
            throw e;
        }
    }

    /** Starts a topology and returns at once. */
    static Topology launch(Map<String, String> environment, String... flags) {
        int port = Ports.free();
        Path folder;
        try {
            folder = Files.createTempDirectory("dpserve it ").toRealPath();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        List<String> arguments = new ArrayList<>(List.of(
                "--no-build",
                "--port",
                Integer.toString(port),
                "--run-dir",
                folder.resolve("run folder").toString()));
        arguments.addAll(List.of(flags));
        return new Topology(folder, port, Script.start(folder, environment, "launch.sh", arguments));
    }

    private void awaitReady() {
        Path description = runFolder().resolve("topology.json");
        await().atMost(START_TIMEOUT)
                .pollInterval(Duration.ofMillis(50))
                .until(() -> Files.exists(description) || !launcher.isRunning());
        if (!launcher.isRunning()) {
            AssertionFailureBuilder.assertionFailure()
                    .message("launch.sh ended: " + launcher.output())
                    .buildAndThrow();
        }
        processes = read(description);
    }

    private static List<ProcessInfo> read(Path description) {
        try {
            List<ProcessInfo> all = new ArrayList<>();
            for (JsonNode p : JSON.readTree(description.toFile()).get("processes")) {
                Map<String, String> endpoints = JSON.convertValue(
                        p.get("endpoints"),
                        JSON.getTypeFactory().constructMapType(Map.class, String.class, String.class));
                all.add(new ProcessInfo(
                        p.get("role").asText(),
                        p.get("dp_rank").asInt(-1),
                        p.get("pid").asLong(),
                        endpoints,
                        Path.of(p.get("log").asText())));
            }
            return all;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    URI base() {
        return URI.create("http://127.0.0.1:" + port);
    }

    int port() {
        return port;
    }

    /** A client with a connection pool of its own. */
    Api api() {
        return new Api(base());
    }

    Script launcher() {
        return launcher;
    }

    Path runFolder() {
        return folder.resolve("run folder");
    }

    List<ProcessInfo> processes() {
        return processes;
    }

    /** The process of a rank. */
    ProcessInfo rank(int dpRank) {
        return processes.stream().filter(p -> p.dpRank() == dpRank).findFirst().orElseThrow();
    }

    /** The first process of a rank, or its successor. */
    ProcessInfo rankNow(int dpRank) {
        return read(runFolder().resolve("topology.json")).stream()
                .filter(p -> p.dpRank() == dpRank)
                .findFirst()
                .orElseThrow();
    }

    /** The number-th process of a role. */
    ProcessInfo process(String role, int number) {
        return processes.stream().filter(p -> p.role().equals(role)).toList().get(number);
    }

    /** SIGKILL to one process; the logs of this topology may then tell of it. */
    void kill(ProcessInfo process) {
        killed.add(process.role());
        Signals.send("KILL", process.pid());
    }

    /** CPU time since the start, by role, in the words of a log line. */
    String cpuTimes() {
        Map<String, Double> seconds = new TreeMap<>();
        for (ProcessInfo p : processes) {
            double one = ProcessHandle.of(p.pid())
                            .flatMap(h -> h.info().totalCpuDuration())
                            .orElse(Duration.ZERO)
                            .toMillis()
                    / 1e3;
            seconds.merge(p.role(), one, Double::sum);
        }
        return "CPU s " + seconds;
    }

    /** Lines of all logs that tell of an error or an exception. */
    List<String> errorLines() {
        List<String> found = new ArrayList<>();
        for (ProcessInfo p : processes) {
            try (Stream<String> lines = Files.lines(p.log())) {
                lines.filter(l -> l.contains("[ERROR]") || l.contains("Exception") || l.startsWith("error:"))
                        .map(l -> p.log().getFileName() + ": " + l)
                        .forEach(found::add);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
        return found;
    }

    /** Stops it as Ctrl-C does, once, and asserts that nothing of it runs on. */
    void stop() {
        if (closed) {
            return;
        }
        closed = true;
        launcher.signal("INT");
        int status = launcher.exitStatus();
        assertThat(processes).as("processes after the stop").noneMatch(p -> Signals.isAlive(p.pid()));
        assertThat(status).as("exit status of launch.sh: %s", launcher.output()).isZero();
    }

    @Override
    public void close() {
        stop();
        if (killed.isEmpty()) {
            assertThat(errorLines()).as("errors in logs").isEmpty();
        }
        deleteFolder();
    }

    /** Removes the run folder of a topology that has ended. */
    void deleteFolder() {
        try (Stream<Path> paths = Files.walk(folder)) {
            for (Path path : paths.sorted((a, b) -> b.compareTo(a)).toList()) {
                Files.delete(path);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
