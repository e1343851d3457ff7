package dpserve.bench.process;

import com.fasterxml.jackson.databind.JsonNode;
import dpserve.bench.chaos.Fault.Role;
import dpserve.bench.chaos.Fault.Target;
import dpserve.bench.client.ControlCalls;
import dpserve.bench.client.ServerInfo;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A running topology as its run folder and its HTTP server tell of it. */
final class ChaosTopology {
    private static final int CALL_MS = 4_000;
    private static final int POLL_MS = 50;
    private static final Pattern LOG = Pattern.compile("([a-z]+)(?:-(\\d+))?\\.log");

    private static final String PROCESS_LOGS = "{tokenizer,controller,scheduler,detokenizer}*";

    private final Path runDir;
    private final URI base;
    private final ControlCalls calls;

    /** A process: its pid, and where it takes messages. */
    record Proc(long pid, String input) {}

    ChaosTopology(Path runDir, URI base) {
        this.runDir = runDir;
        this.base = base;
        this.calls = new ControlCalls(base, Map.of());
    }

    Path runDir() {
        return runDir;
    }

    URI base() {
        return base;
    }

    /** What the launcher says there is; a process that has died is in it until its successor is. */
    Map<Target, Proc> processes() throws IOException {
        Map<Target, Proc> all = new HashMap<>();
        JsonNode read = ChaosHttp.JSON.readTree(runDir.resolve("topology.json").toFile());
        for (JsonNode process : read.path("processes")) {
            Matcher log = LOG.matcher(
                    Path.of(process.path("log").asText()).getFileName().toString());
            if (!log.matches()) {
                throw new IOException("topology.json: a log named " + process.path("log"));
            }
            JsonNode endpoints = process.path("endpoints");
            String input = endpoints.path("pull").asText(endpoints.path("input").asText(null));
            int index = log.group(2) == null ? 0 : Integer.parseInt(log.group(2));
            all.put(
                    new Target(role(process.path("role").asText()), index),
                    new Proc(process.path("pid").asLong(), input));
        }
        return all;
    }

    private static Role role(String process) throws IOException {
        for (Role role : Role.values()) {
            if (role.process().equals(process)) {
                return role;
            }
        }
        throw new IOException("topology.json: a process of role " + process);
    }

    /** A control call. */
    ChaosHttp.Reply call(String method, String path, JsonNode body) throws IOException {
        return ChaosHttp.call(base, method, path, body, CALL_MS);
    }

    /** A control call that is made again while nobody answers or it is refused, as while its worker or the controller dies. */
    JsonNode insist(String method, String path, JsonNode body, long limitMs) throws IOException, InterruptedException {
        long deadline = System.nanoTime() + limitMs * 1_000_000;
        while (true) {
            String answer;
            try {
                ChaosHttp.Reply reply = call(method, path, body);
                if (reply.status() == 200) {
                    return reply.json();
                }
                answer = reply.status() + " " + reply.body();
            } catch (IOException e) {
                answer = e.toString();
            }
            if (System.nanoTime() - deadline > 0) {
                throw new IOException(method + " " + path + ": " + answer);
            }
            Thread.sleep(POLL_MS);
        }
    }

    /** What is missing of a topology in order: none of the given pids, everybody answers and is healthy. Null if nothing. */
    String missing(Set<Long> gone) throws IOException {
        Map<Target, Proc> processes = processes();
        Set<Long> wanted = new HashSet<>();
        for (Map.Entry<Target, Proc> process : processes.entrySet()) {
            if (gone.contains(process.getValue().pid())) {
                return process.getKey() + " has no successor";
            }
            wanted.add(process.getValue().pid());
        }
        ChaosHttp.Reply health = call("GET", "/health", null);
        if (health.status() != 200) {
            return "/health: " + health.body();
        }
        wanted.removeAll(ServerInfo.pids(serverInfo()).values());
        return wanted.isEmpty() ? null : "/server_info does not tell of pids " + wanted;
    }

    JsonNode serverInfo() throws IOException {
        return call("GET", "/server_info", null).json();
    }

    /** Waits until the tables of all processes are empty; what is in them at the limit. */
    List<String> awaitEmpty(long limitMs) throws InterruptedException {
        return ServerInfo.awaitEmpty(calls, limitMs);
    }

    /** Counters of any process that must be 0 however many faults there were, and are not. */
    List<String> impossibleCounters(List<String> names) throws IOException {
        List<String> found = new ArrayList<>();
        for (JsonNode process : serverInfo().path("processes")) {
            for (String name : names) {
                long count = process.path("counters").path(name).asLong();
                if (count != 0) {
                    found.add(process.path("role").asText() + " "
                            + process.path("index").asText() + ": " + name + " = " + count);
                }
            }
        }
        return found;
    }

    /** Lines of the processes' logs that tell of an error of the program. */
    List<String> errorLines() throws IOException {
        List<String> found = new ArrayList<>();
        try (var logs = Files.newDirectoryStream(runDir.resolve("logs"), PROCESS_LOGS)) {
            for (Path log : logs) {
                for (String line : Files.readAllLines(log)) {
                    if (line.contains("[ERROR]") || line.contains("Exception")) {
                        found.add(log.getFileName() + ": " + line);
                    }
                }
            }
        }
        return found;
    }
}
