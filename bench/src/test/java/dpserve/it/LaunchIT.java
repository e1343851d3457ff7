package dpserve.it;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The scripts themselves: what they leave behind, what they refuse, and how they say it. */
class LaunchIT {
    private static final Map<String, String> NO_VARIABLES = Map.of();

    @TempDir
    Path temp;

    @Test
    void shouldLeaveNothingOutsideTheRunFolder() throws IOException {
        Set<String> before = filesOf(Script.repository());
        Topology topology = Topology.start("--time-scale", "0");
        topology.api().post("/generate", Map.of("text", "a file here and there?"));
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(topology.runFolder())))
                .isEqualTo("rwx------");
        topology.stop();
        assertThat(filesOf(Script.repository())).isEqualTo(before);
        assertThat(filesIn(topology.runFolder())).as("left in the run folder").containsOnly("logs", ".dpserve-run");
        Path jvmFiles = Path.of("/tmp/hsperfdata_" + System.getProperty("user.name"));
        topology.processes()
                .forEach(p -> assertThat(jvmFiles.resolve("" + p.pid())).doesNotExist());
        topology.close();
    }

    @Test
    void shouldServeTwoTopologiesSideBySide() {
        try (Topology one = Topology.start("--time-scale", "0");
                Topology two = Topology.start("--time-scale", "0", "--dp-size", "2")) {
            for (Topology topology : List.of(one, two)) {
                assertThat(topology.api()
                                .post("/generate", Map.of("text", "side by side"))
                                .status())
                        .isEqualTo(200);
            }
            one.stop();
            assertThat(two.api().get("/health").status()).isEqualTo(200);
            assertThat(two.processes()).hasSize(5).allMatch(p -> Signals.isAlive(p.pid()));
        }
    }

    @Test
    void shouldStartDetachedAndStopByScript() {
        Path folder = temp.resolve("detached run");
        int port = Ports.free();
        Script launch =
                Script.run("launch.sh", "--no-build", "--detach", "--port", "" + port, "--run-dir", folder.toString());
        assertThat(launch.exitStatus()).as(launch.output()).isZero();
        assertThat(launch.output()).contains("http://127.0.0.1:" + port).contains("\"simulated\"");
        Script second =
                Script.run("launch.sh", "--no-build", "--port", "" + Ports.free(), "--run-dir", folder.toString());
        assertThat(second.exitStatus()).isEqualTo(1);
        assertThat(second.errors())
                .singleElement()
                .asString()
                .contains("in use")
                .contains(folder.toString());
        Script stop = Script.run("stop.sh", "--run-dir", folder.toString());
        assertThat(stop.exitStatus()).as(stop.output()).isZero();
        assertThat(Script.run("stop.sh", "--run-dir", folder.toString()).output())
                .contains("nothing runs");
    }

    @Test
    void shouldRefuseAPortInUse() throws IOException {
        try (ServerSocket other = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            Script launch = launch("--port", "" + other.getLocalPort());
            assertThat(launch.exitStatus()).isEqualTo(1);
            assertThat(launch.errors()).singleElement().asString().contains("port " + other.getLocalPort());
        }
    }

    @Test
    void shouldNameTheProcessWhoseEndpointIsInUse() throws IOException {
        int port = Ports.free();
        try (ServerSocket controllerPort = new ServerSocket(port + 234 + 5, 1, InetAddress.getLoopbackAddress())) {
            Script launch = launch("--port", "" + port);
            assertThat(launch.exitStatus()).isEqualTo(1);
            assertThat(launch.errors())
                    .singleElement()
                    .asString()
                    .contains("controller ended while starting")
                    .contains("" + controllerPort.getLocalPort());
            assertNothingRuns();
        }
    }

    @Test
    void shouldNameAFlagThatAProcessRefuses() {
        Script launch = launch("--port", "" + Ports.free(), "--load-balance-method", "no_such_policy");
        assertThat(launch.exitStatus()).isEqualTo(1);
        assertThat(launch.errors())
                .singleElement()
                .asString()
                .contains("controller ended while starting")
                .contains("--load-balance-method");
        assertNothingRuns();
    }

    @Test
    void shouldNameTheNearestFlag() {
        Script launch = launch("--load-balance-metod", "round_robin");
        assertThat(launch.exitStatus()).isEqualTo(2);
        assertThat(launch.errors())
                .singleElement()
                .asString()
                .contains("--load-balance-metod")
                .contains("--load-balance-method?");
    }

    @Test
    void shouldSayThatAJdkIsMissing() {
        Script launch = Script.start(
                temp, Map.of("JAVA_HOME", temp.toString()), "launch.sh", List.of("--run-dir", temp.resolve("r") + ""));
        assertThat(launch.exitStatus()).isEqualTo(1);
        assertThat(launch.errors()).singleElement().asString().contains("JAVA_HOME");
    }

    @Test
    void shouldStopEverythingWhenInterruptedWhileStarting() {
        Topology topology = Topology.launch(NO_VARIABLES, "--dp-size", "4");
        await().atMost(Duration.ofSeconds(10)).until(() -> Files.exists(pids(topology.runFolder())));
        topology.launcher().signal("INT");
        assertThat(topology.launcher().exitStatus()).isZero();
        assertThat(topology.runFolder().resolve("topology.json")).doesNotExist();
        assertThat(jvmsNaming(topology.runFolder().toString())).isEmpty();
        topology.deleteFolder();
    }

    @Test
    void shouldStopEverythingWhenAProcessItNeedsDies() {
        Topology topology = Topology.start("--time-scale", "0");
        Topology.ProcessInfo controller = topology.processes().stream()
                .filter(p -> p.role().equals("controller"))
                .findFirst()
                .orElseThrow();
        Signals.send("KILL", controller.pid());
        assertThat(topology.launcher().exitStatus()).isEqualTo(1);
        assertThat(topology.launcher().errors())
                .singleElement()
                .asString()
                .contains("controller")
                .contains("SIGKILL")
                .contains(controller.log().toString());
        await().atMost(Duration.ofSeconds(2))
                .until(() -> topology.processes().stream().noneMatch(p -> Signals.isAlive(p.pid())));
        topology.deleteFolder();
    }

    @Test
    void shouldRunOnJava25WithoutWarnings() throws IOException {
        Path home = jdk25();
        assumeTrue(home != null, "no JDK 25 here");
        try (Topology topology = Topology.start(Map.of("JAVA_HOME", home.toString()), "--time-scale", "0")) {
            assertThat(topology.api()
                            .post("/generate", Map.of("text", "on Java 25"))
                            .status())
                    .isEqualTo(200);
            for (Topology.ProcessInfo process : topology.processes()) {
                assertThat(process.log()).content().doesNotContainIgnoringCase("warning");
            }
        }
    }

    private static Path jdk25() throws IOException {
        String given = System.getenv("JAVA25_HOME");
        Path all = Path.of("/usr/lib/jvm");
        if (given != null || !Files.isDirectory(all)) {
            return given == null ? null : Path.of(given);
        }
        try (Stream<Path> homes = Files.list(all)) {
            return homes.filter(h -> h.getFileName().toString().contains("-25-"))
                    .filter(h -> Files.isExecutable(h.resolve("bin/java")))
                    .findFirst()
                    .orElse(null);
        }
    }

    private Script launch(String... flags) {
        List<String> arguments = Stream.concat(
                        Stream.of(
                                "--no-build",
                                "--run-dir",
                                temp.resolve("run folder").toString()),
                        Stream.of(flags))
                .toList();
        return Script.start(temp, NO_VARIABLES, "launch.sh", arguments);
    }

    private void assertNothingRuns() {
        assertThat(jvmsNaming(temp.toString())).isEmpty();
        assertThat(temp.resolve("run folder/topology.json")).doesNotExist();
    }

    private static Path pids(Path runFolder) {
        return runFolder.resolve("pids");
    }

    private static List<String> jvmsNaming(String folder) {
        return ProcessHandle.allProcesses()
                .map(p -> p.info().commandLine().orElse(""))
                .filter(c -> c.contains("dpserve.") && c.contains(folder))
                .toList();
    }

    private static Set<String> filesOf(Path root) throws IOException {
        try (Stream<Path> paths = Files.walk(root)) {
            return paths.map(p -> root.relativize(p).toString())
                    .filter(p -> !p.startsWith(".git"))
                    .filter(p -> !p.startsWith("bench/target") && !p.equals("target/test.log"))
                    .filter(p -> !p.startsWith("target/class-data"))
                    .collect(Collectors.toCollection(TreeSet::new));
        }
    }

    private static Set<String> filesIn(Path folder) throws IOException {
        try (Stream<Path> paths = Files.list(folder)) {
            return paths.map(p -> p.getFileName().toString()).collect(Collectors.toCollection(TreeSet::new));
        }
    }
}
