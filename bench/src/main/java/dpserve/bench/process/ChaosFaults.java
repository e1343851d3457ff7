package dpserve.bench.process;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dpserve.bench.chaos.Fault;
import dpserve.bench.chaos.Fault.Role;
import dpserve.bench.chaos.Fault.Target;
import dpserve.bench.fuzz.Corpus;
import dpserve.bench.fuzz.Mutator;
import dpserve.bench.process.ChaosTopology.Proc;
import dpserve.io.codec.CodecException;
import dpserve.io.codec.IntArrayForm;
import dpserve.io.codec.MessageCodec;
import dpserve.io.socket.Contexts;
import dpserve.io.socket.PushSocket;
import dpserve.io.socket.SocketLimits;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.zeromq.ZContext;

/** Does to a topology what a fault says; returns when it is over. */
final class ChaosFaults {
    private static final long CONTROL_LIMIT_MS = 15_000;
    private static final int FRAMES = 300;

    /** A tenth of the time for the process, in turns that are short against every time limit of the topology. */
    private static final String SLOW =
            "for ((i = 0; i < $2; i++)); do kill -STOP $1; sleep 0.045; kill -CONT $1; sleep 0.005; done";

    private static final int SLOW_TURN_MS = 50;

    /**
     * Of each client that does not read: sequences of its request, tokens of each, length of the rids, which every event
     * repeats. Some 26 MB even of increments: more than the server keeps (8 MiB) and the kernel takes.
     */
    private static final int UNREAD_SEQUENCES = 64;

    private static final int UNREAD_TOKENS = 500;
    private static final int UNREAD_RID_LENGTH = 500;
    private static final int UNREAD_CLIENTS = 2;
    private static final int UNREAD_BUFFER = 4_096;
    private static final long UNREAD_LIMIT_MS = 60_000;
    private static final int LATE_MS = 1_000;
    private static final Pattern ADDED = Pattern.compile("dp_rank (\\d+) takes requests");

    private final ChaosTopology topology;
    private final Path rankScript;
    private final double timeScale;
    private final String method;
    private final long seed;
    private final List<String> broken = new ArrayList<>();
    private final List<Death> deaths = new ArrayList<>();
    private final Set<Long> gone = new HashSet<>();

    /** A tokenizer worker's end: the ports of its clients, and the time in which more of them may have come to it. */
    private record Death(Set<Integer> ports, long fromNs, long untilNs) {}

    ChaosFaults(ChaosTopology topology, Path rankScript, double timeScale, String method, long seed) {
        this.topology = topology;
        this.rankScript = rankScript;
        this.timeScale = timeScale;
        this.method = method;
        this.seed = seed;
    }

    /** What a fault did that it must not. */
    List<String> broken() {
        return broken;
    }

    /** Pids of processes that were killed. */
    Set<Long> gone() {
        return gone;
    }

    /** Whether a connection was lost with a tokenizer worker. */
    boolean explains(ChaosClients.Broken lost) {
        return deaths.stream()
                .anyMatch(d -> d.ports.contains(lost.connection().port())
                        || lost.connection().connectedIn(d.fromNs, d.untilNs));
    }

    void inject(Fault fault) throws IOException, InterruptedException {
        deaths.clear();
        broken.clear();
        Map<Target, Proc> processes = topology.processes();
        int rank = fault.first() == null ? 0 : fault.first().index();
        switch (fault.action()) {
            case KILL -> kill(fault, processes);
            case STOP -> {
                long pid = processes.get(fault.first()).pid();
                run("kill", "-STOP", "" + pid);
                try {
                    Thread.sleep(fault.ms());
                } finally {
                    run("kill", "-CONT", "" + pid);
                }
            }
            case SLOW -> {
                long pid = processes.get(fault.first()).pid();
                run("bash", "-c", SLOW, "slow", "" + pid, "" + fault.ms() / SLOW_TURN_MS);
            }
            case CORRUPT -> corrupt(processes.get(fault.first()).input());
            case UNREAD -> unread();
            case DRAIN -> {
                topology.insist("POST", "/ranks/" + rank + "/drain", null, CONTROL_LIMIT_MS);
                awaitDrained(rank);
                topology.insist("POST", "/ranks/" + rank + "/undrain", null, CONTROL_LIMIT_MS);
            }
            case RESTART -> rankScript("restart", "" + rank);
            case REMOVE_NOW -> {
                rankScript("remove", "" + rank, "--drain-timeout-s", "0");
                rankScript("add", "" + rank);
            }
            case ADD -> {
                Matcher added = ADDED.matcher(rankScript("add"));
                if (added.find()) {
                    Thread.sleep(LATE_MS);
                    rankScript("remove", added.group(1));
                }
            }
            case REPORTS_LATE -> balance(fault.ms(), balance().put("delay_ms", LATE_MS / timeScale));
            case REPORTS_STOP -> balance(fault.ms(), balance().put("report", "accounting"));
            case REPORTS_PATH -> {
                balance(fault.ms() / 2, balance().put("report", "direct").put("method", "shortest_queue"));
                balance(fault.ms() / 2, balance().put("report", "watch").put("method", "least_tokens"));
            }
        }
    }

    /** A tokenizer worker is stopped first, so that its clients can be counted. */
    private void kill(Fault fault, Map<Target, Proc> processes) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of("kill", "-KILL"));
        Set<Integer> ports = new HashSet<>();
        long fromNs = System.nanoTime();
        for (Target target : fault.second() == null ? List.of(fault.first()) : List.of(fault.first(), fault.second())) {
            long pid = processes.get(target).pid();
            if (target.role() == Role.TOKENIZER) {
                run("kill", "-STOP", "" + pid);
                ports.addAll(SocketOwners.clientPorts(pid, topology.base().getPort()));
            }
            command.add("" + pid);
            gone.add(pid);
        }
        run(command.toArray(String[]::new));
        for (String pid : command.subList(2, command.size())) {
            while (ProcessHandle.of(Long.parseLong(pid))
                    .map(ProcessHandle::isAlive)
                    .orElse(false)) {
                Thread.sleep(1);
            }
        }
        if (!ports.isEmpty()) {
            deaths.add(new Death(ports, fromNs, System.nanoTime()));
        }
    }

    /** Frames that are no messages: a valid one might be obeyed. */
    private void corrupt(String endpoint) throws InterruptedException {
        Mutator mutator = new Mutator(Corpus.frames(), seed);
        MessageCodec codec = new MessageCodec(IntArrayForm.INT32);
        try (ZContext context = Contexts.create();
                PushSocket socket = PushSocket.connect(context, endpoint, SocketLimits.defaults())) {
            for (int sent = 0; sent < FRAMES; ) {
                byte[] frame = mutator.next();
                try {
                    codec.decode(frame);
                } catch (CodecException e) {
                    while (!socket.send(frame)) {
                        Thread.sleep(1); // its peer is behind
                    }
                    sent++;
                }
            }
        }
    }

    private void unread() throws IOException, InterruptedException {
        List<ChaosHttp> clients = new ArrayList<>();
        List<String> rids = new ArrayList<>();
        try {
            for (int c = 0; c < UNREAD_CLIENTS; c++) {
                ChaosHttp http = new ChaosHttp(topology.base(), 1, UNREAD_BUFFER);
                clients.add(http);
                ObjectNode body = ChaosHttp.JSON.createObjectNode().put("stream", true);
                ArrayNode ids = body.putArray("input_ids");
                ArrayNode names = body.putArray("rid");
                String name = "unread-" + System.nanoTime() + "-";
                for (int s = 0; s < UNREAD_SEQUENCES; s++) {
                    ids.addArray().add(c).add(s);
                    names.add(
                            s == 0
                                    ? name
                                    : (name + s + "-" + "x".repeat(UNREAD_RID_LENGTH)).substring(0, UNREAD_RID_LENGTH));
                }
                body.putObject("sampling_params")
                        .put("max_new_tokens", UNREAD_TOKENS)
                        .put("ignore_eos", true);
                http.send("POST", "/generate", body);
                rids.add(name);
            }
            for (String rid : rids) {
                String outcome = outcome(rid);
                if (!outcome.startsWith("abort")) {
                    broken.add("a client that does not read was not cut, its request: " + outcome);
                }
            }
        } finally {
            clients.forEach(ChaosHttp::close);
        }
    }

    private String outcome(String rid) throws IOException, InterruptedException {
        long deadline = System.nanoTime() + UNREAD_LIMIT_MS * 1_000_000;
        JsonNode sequence;
        do {
            Thread.sleep(100);
            sequence = topology.call("GET", "/requests/" + rid, null)
                    .json()
                    .path("sequences")
                    .path(0);
        } while (!sequence.path("state").asText().equals("ended") && System.nanoTime() - deadline < 0);
        return sequence.path("outcome").asText("none after " + UNREAD_LIMIT_MS + " ms");
    }

    private void awaitDrained(int rank) throws IOException, InterruptedException {
        long deadline = System.nanoTime() + CONTROL_LIMIT_MS * 1_000_000;
        String state;
        do {
            Thread.sleep(SLOW_TURN_MS);
            state = "";
            for (JsonNode one : topology.insist("GET", "/ranks", null, CONTROL_LIMIT_MS)) {
                state = one.path("dp_rank").asInt() == rank ? one.path("state").asText() : state;
            }
        } while (!state.equals("drained") && System.nanoTime() - deadline < 0);
        if (!state.equals("drained")) {
            broken.add("dp_rank " + rank + " is " + state + " " + CONTROL_LIMIT_MS + " ms after its drain began");
        }
    }

    private static ObjectNode balance() {
        return ChaosHttp.JSON.createObjectNode();
    }

    private void balance(int ms, ObjectNode change) throws IOException, InterruptedException {
        topology.insist("PUT", "/load_balance", change, CONTROL_LIMIT_MS);
        Thread.sleep(ms);
        ObjectNode back =
                balance().put("method", method).put("report", "piggyback").put("delay_ms", 0);
        topology.insist("PUT", "/load_balance", back, CONTROL_LIMIT_MS);
    }

    private String rankScript(String... arguments) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of("bash", rankScript.toString()));
        command.addAll(List.of(arguments));
        command.addAll(List.of("--run-dir", topology.runDir().toString()));
        return run(command.toArray(String[]::new));
    }

    private String run(String... command) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        if (process.waitFor() != 0) {
            broken.add(String.join(" ", command) + ": " + output.strip());
        }
        return output;
    }
}
