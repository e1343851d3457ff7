package dpserve.it;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.io.StringWriter;
import java.net.URI;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import javax.tools.JavaCompiler;
import javax.tools.StandardJavaFileManager;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The policy that docs/policies.md shows, taken from that page as it stands: its class and its line in Policies are compiled
 * into a copy of the controller's jar, and the real scripts run it simulated and live.
 */
class NewPolicyIT {
    private static final Path REPOSITORY = Script.repository();
    private static final String PACKAGE = "dpserve/controller/policy/";
    private static final String SOURCES = "controller/src/main/java/" + PACKAGE;
    private static final Pattern BLOCK = Pattern.compile("```java\n(.*?)```", Pattern.DOTALL);
    private static final Pattern CLASS = Pattern.compile("class (\\w+) implements DispatchPolicy");
    private static final Pattern NAME = Pattern.compile("m\\.put\\(\"(\\w+)\"");
    private static final Duration START_TIMEOUT = Duration.ofSeconds(60);

    /** The repository with the new policy: scripts and jars. */
    @TempDir
    private Path tree;

    private String method;

    @BeforeEach
    void addThePolicyAsDocumented() throws IOException {
        String page = Files.readString(REPOSITORY.resolve("docs/policies.md"));
        List<String> blocks = new ArrayList<>();
        Matcher block = BLOCK.matcher(page);
        while (block.find()) {
            blocks.add(block.group(1));
        }
        assertThat(blocks).as("the class and the line of docs/policies.md").hasSize(2);
        method = first(NAME, blocks.get(1));
        Path sources = Files.createDirectories(tree.resolve("new-sources"));
        Path policy = Files.writeString(sources.resolve(first(CLASS, blocks.get(0)) + ".java"), blocks.get(0));
        String registry = Files.readString(REPOSITORY.resolve(SOURCES + "Policies.java"));
        String lastLine = "        m.put(PREFIX_AFFINITY, s -> new PrefixAffinity());\n";
        assertThat(registry).contains(lastLine);
        Path policies = Files.writeString(
                sources.resolve("Policies.java"), registry.replace(lastLine, lastLine + blocks.get(1)));

        copyScriptsAndJars();
        Path jar = tree.resolve("controller/target/controller-0.1.0-SNAPSHOT.jar");
        compileInto(jar, List.of(policy, policies));
        Files.copy(
                jar, tree.resolve("bench/target/lib").resolve(jar.getFileName()), StandardCopyOption.REPLACE_EXISTING);
    }

    private static String first(Pattern pattern, String text) {
        Matcher m = pattern.matcher(text);
        assertThat(m.find()).as("%s in %s", pattern, text).isTrue();
        return m.group(1);
    }

    private void copyScriptsAndJars() throws IOException {
        try (Stream<Path> scripts = Files.walk(REPOSITORY.resolve("scripts"))) {
            for (Path from : scripts.toList()) {
                Path to = tree.resolve(REPOSITORY.relativize(from).toString());
                Files.copy(from, to, StandardCopyOption.COPY_ATTRIBUTES);
            }
        }
        for (String module : List.of("tokenizer", "scheduler", "controller", "bench")) {
            Path target = REPOSITORY.resolve(module).resolve("target");
            Path lib = Files.createDirectories(tree.resolve(module).resolve("target/lib"));
            Path jar = Path.of(module + "-0.1.0-SNAPSHOT.jar");
            Files.copy(target.resolve(jar), lib.resolveSibling(jar));
            try (Stream<Path> jars = Files.list(target.resolve("lib"))) {
                for (Path other : jars.toList()) {
                    Files.copy(other, lib.resolve(other.getFileName()));
                }
            }
        }
    }

    private void compileInto(Path jar, List<Path> sources) throws IOException {
        Path classes = Files.createDirectories(tree.resolve("new-classes"));
        JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
        StringWriter messages = new StringWriter();
        try (StandardJavaFileManager files = compiler.getStandardFileManager(null, null, null)) {
            boolean compiled = compiler.getTask(
                            messages,
                            files,
                            null,
                            List.of("--release", "17", "-Xlint:all", "-Werror", "-d", classes.toString()),
                            null,
                            files.getJavaFileObjectsFromPaths(sources))
                    .call();
            assertThat(compiled).as(messages.toString()).isTrue();
        }
        try (FileSystem inside = FileSystems.newFileSystem(URI.create("jar:" + jar.toUri()), Map.of());
                Stream<Path> made = Files.list(classes.resolve(PACKAGE))) {
            for (Path file : made.toList()) {
                Files.copy(file, inside.getPath(PACKAGE + file.getFileName()), StandardCopyOption.REPLACE_EXISTING);
            }
        }
    }

    private Script script(String name, String... arguments) {
        return Script.start(
                tree, Map.of(), tree.resolve("scripts").resolve(name).toString(), List.of(arguments));
    }

    @Test
    void shouldRunSimulated() {
        Script simulated = script(
                "simulate.sh",
                "--no-build",
                "--load-balance-method",
                method,
                "--dataset-name",
                "random",
                "--num-prompts",
                "60",
                "--random-input-len",
                "50",
                "--random-output-len",
                "50",
                "--max-concurrency",
                "20");

        assertThat(simulated.exitStatus()).as(simulated.output()).isZero();
        // The lowest rank takes all 20 that are in flight.
        assertThat(simulated.output()).containsPattern("(?m)^Most requests held by a rank / above even: +20 / ");
    }

    @Test
    void shouldRunInTheLaboratory() throws IOException {
        Script lab = script(
                "simulate.sh",
                "--no-build",
                "--lab",
                "--policies",
                method,
                "--delays-ms",
                "0",
                "--workloads",
                "pr_11469",
                "--seeds",
                "1",
                "--num-prompts",
                "40",
                "--output",
                tree.resolve("lab.html").toString());

        assertThat(lab.exitStatus()).as(lab.output()).isZero();
        assertThat(Files.readAllLines(tree.resolve("lab.csv"))).anyMatch(line -> line.contains("," + method + ","));
        assertThat(Files.readString(tree.resolve("lab.html"))).contains(method);
    }

    @Test
    void shouldRunLive() {
        int port = Ports.free();
        Path run = tree.resolve("run");
        Script launcher = script(
                "launch.sh",
                "--no-build",
                "--dp-size",
                "2",
                "--time-scale",
                "0",
                "--port",
                Integer.toString(port),
                "--run-dir",
                run.toString(),
                "--load-balance-method",
                method);
        try {
            await().atMost(START_TIMEOUT)
                    .until(() -> Files.exists(run.resolve("topology.json")) || !launcher.isRunning());
            assertThat(launcher.isRunning()).as(launcher.output()).isTrue();
            Api api = new Api(URI.create("http://127.0.0.1:" + port));
            for (int i = 0; i < 6; i++) {
                Api.Reply reply = api.post(
                        "/generate", Map.of("text", "request " + i, "sampling_params", Map.of("max_new_tokens", 3)));
                assertThat(reply.status()).as(reply.body()).isEqualTo(200);
                assertThat(reply.json().get("meta_info").get("dp_rank").asInt()).isZero();
            }
        } finally {
            launcher.signal("INT");
        }
        assertThat(launcher.exitStatus()).as(launcher.output()).isZero();
    }
}
