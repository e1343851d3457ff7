package dpserve.it;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** One run of a script of the repository: its process, and everything it printed (both streams, in order). */
final class Script {
    private static final long END_TIMEOUT_S = 90;

    private final Process process;
    private final List<String> lines = new ArrayList<>();
    private final Thread reader;

    private Script(Process process) {
        this.process = process;
        // A test run that is cut short must not leave a topology behind.
        Runtime.getRuntime().addShutdownHook(new Thread(process::destroy));
        reader = new Thread(this::read, "script-output");
        reader.setDaemon(true);
        reader.start();
    }

    /** The repository's root: the parent of the module the tests run in. */
    static Path repository() {
        return Path.of("").toAbsolutePath().getParent();
    }

    /** Starts {@code scripts/<name>} in a folder, with more environment variables. */
    static Script start(Path directory, Map<String, String> environment, String name, List<String> arguments) {
        List<String> command = new ArrayList<>();
        command.add("bash");
        command.add(repository().resolve("scripts").resolve(name).toString());
        command.addAll(arguments);
        ProcessBuilder builder =
                new ProcessBuilder(command).directory(directory.toFile()).redirectErrorStream(true);
        builder.environment().putAll(environment);
        try {
            return new Script(builder.start());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Runs a script to its end. */
    static Script run(String name, String... arguments) {
        Script script = start(repository(), Map.of(), name, List.of(arguments));
        script.exitStatus();
        return script;
    }

    private void read() {
        try (BufferedReader in =
                new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
            for (String line = in.readLine(); line != null; line = in.readLine()) {
                synchronized (lines) {
                    lines.add(line);
                }
            }
        } catch (IOException e) {
            // the stream ends with the process
        }
    }

    boolean isRunning() {
        return process.isAlive();
    }

    long pid() {
        return process.pid();
    }

    /** Sends a signal such as INT or TERM. */
    void signal(String name) {
        Signals.send(name, pid());
    }

    /** Waits for the end; a script that does not end fails the test. */
    int exitStatus() {
        try {
            assertThat(process.waitFor(END_TIMEOUT_S, TimeUnit.SECONDS))
                    .as("ended within %d s; output: %s", END_TIMEOUT_S, output())
                    .isTrue();
            reader.join();
            return process.exitValue();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    /** What it has printed so far. */
    String output() {
        synchronized (lines) {
            return String.join("\n", lines);
        }
    }

    /** The lines printed so far that begin with {@code error:}. */
    List<String> errors() {
        synchronized (lines) {
            return lines.stream().filter(l -> l.startsWith("error:")).toList();
        }
    }
}
