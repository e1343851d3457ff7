package dpserve.bench.process;

import com.fasterxml.jackson.databind.JsonNode;
import dpserve.bench.chaos.ChaosTable;
import dpserve.bench.chaos.ChaosTable.Entry;
import dpserve.bench.chaos.DecisionCheck;
import dpserve.bench.chaos.Fault;
import dpserve.bench.chaos.Fault.Action;
import dpserve.bench.chaos.Fault.Phase;
import dpserve.bench.chaos.FaultPlan;
import dpserve.bench.chaos.ReplyJudge.Verdict;
import dpserve.io.process.CommandRunner;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.msgpack.core.MessagePack;
import org.msgpack.core.MessageUnpacker;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** The part of scripts/chaos.sh that puts load and faults on one topology and looks what becomes of the replies. */
@Command(name = "chaos", description = "Called by scripts/chaos.sh.")
public final class ChaosMain implements Callable<Integer> {
    private static final long BUSY_LIMIT_MS = 30_000;

    /** Load goes on before a fault for so long, and after the topology is back. */
    private static final long STEADY_MS = 700;

    /** The launcher's longest wait before a restart is 30 s, and on a machine that has no time for it a JVM starts as long. */
    private static final long RECOVERY_LIMIT_MS = 90_000;

    private static final long OUTCOME_LIMIT_MS = 90_000;

    /** Below the 30 s after which a worker sweeps out what is left over: that must not be needed. */
    private static final long EMPTY_LIMIT_MS = 20_000;

    /** A request waits for a controller so long (docs/failures.md), then it is refused. */
    private static final long CONTROLLER_WAIT_MS = 5_000;

    private static final long CONTROL_LIMIT_MS = 15_000;
    private static final int POLL_MS = 20;

    /** Whole replies whose record at their worker is looked at after each fault. */
    private static final int SAMPLE = 5;

    private static final List<String> IMPOSSIBLE = List.of(
            "swept",
            "timed_out",
            "self_check_failures",
            "impossible_counts",
            "reports_impossible",
            "duplicate_rids",
            "policy_chose_dead_rank");

    @Option(names = "--run-dir", required = true)
    private Path runDir;

    @Option(names = "--port", required = true)
    private int port;

    @Option(names = "--name", required = true, description = "of the topology")
    private String name;

    @Option(names = "--number", required = true, description = "of the topology among those of this run")
    private int number;

    @Option(names = "--of", required = true)
    private int of;

    @Option(names = "--ranks", required = true)
    private int ranks;

    @Option(names = "--tokenizers", required = true)
    private int tokenizers;

    @Option(names = "--detokenizers", required = true)
    private int detokenizers;

    @Option(names = "--clients", required = true)
    private int clientCount;

    @Option(names = "--time-scale", required = true)
    private double timeScale;

    @Option(names = "--method", required = true)
    private String method;

    @Option(names = "--incremental", description = "Events carry only what is new.")
    private boolean incremental;

    @Option(names = "--may-refuse", description = "The topology has little room: 503 is an outcome.")
    private boolean mayRefuse;

    @Option(names = "--seconds", required = true, description = "after which no fault begins")
    private double seconds;

    @Option(names = "--seed", required = true)
    private long seed;

    @Option(names = "--rank-script", required = true)
    private Path rankScript;

    @Option(names = "--results", required = true, description = "lines of the table; more are added")
    private Path results;

    @Option(names = "--print", description = "Print the table of all results.")
    private boolean print;

    private final List<String> broken = new ArrayList<>();
    private boolean workerDied;
    private int probes;

    public static void main(String[] args) {
        CommandRunner.run(new ChaosMain(), args);
    }

    @Override
    public Integer call() throws InterruptedException {
        long beganNs = System.nanoTime();
        ChaosTopology topology = new ChaosTopology(runDir, URI.create("http://127.0.0.1:" + port));
        ChaosFaults faults = new ChaosFaults(topology, rankScript, timeScale, method, seed);
        FaultPlan plan = new FaultPlan(seed, new FaultPlan.Shape(ranks, tokenizers, detokenizers), number, of);
        try (ChaosClients clients = new ChaosClients(topology.base(), name, seed, clientCount, incremental)) {
            while (broken.isEmpty() && (System.nanoTime() - beganNs) / 1e9 < seconds) {
                Fault fault = plan.next();
                Entry entry = meet(fault, topology, faults, clients);
                System.out.printf(
                        Locale.ROOT,
                        "%6.1f s  %s: %d requests, longest gap %d ms, recovery %d ms%n",
                        (System.nanoTime() - beganNs) / 1e9,
                        fault,
                        entry.requests(),
                        entry.longestGapMs(),
                        entry.recoveryMs());
                Files.writeString(
                        results,
                        ChaosHttp.JSON.writeValueAsString(entry) + "\n",
                        StandardOpenOption.CREATE,
                        StandardOpenOption.APPEND);
            }
            topology.errorLines().forEach(line -> broken.add("log: " + line));
            checkDecisions();
            if (print || !broken.isEmpty()) {
                System.out.print(ChaosTable.of(ChaosHttp.JSON
                        .readerFor(Entry.class)
                        .<Entry>readValues(results.toFile())
                        .readAll()));
            }
        } catch (IOException e) {
            broken.add(e.toString());
        }
        broken.forEach(line -> System.out.println("BROKEN: " + line));
        return broken.isEmpty() ? 0 : CommandRunner.FAILURE;
    }

    private Entry meet(Fault fault, ChaosTopology topology, ChaosFaults faults, ChaosClients clients)
            throws InterruptedException, IOException {
        workerDied |= fault.action() == Action.KILL && isTokenizer(fault);
        int drained = fault.phase() == Phase.DRAIN ? fault.first().index() % ranks : -1;
        if (fault.phase() != Phase.IDLE) {
            clients.open();
            must(clients.awaitBusy(BUSY_LIMIT_MS), "the clients did not get to work");
            if (fault.phase() != Phase.BURST) {
                Thread.sleep(STEADY_MS);
            }
        }
        if (drained >= 0) {
            topology.insist("POST", "/ranks/" + drained + "/drain", null, CONTROL_LIMIT_MS);
        }
        long killedNs = System.nanoTime();
        faults.inject(fault);
        faults.broken().forEach(line -> broken.add(fault + ": " + line));
        long fromNs = fault.action() == Action.KILL ? killedNs : System.nanoTime();
        clients.open();
        awaitService(topology, faults, clients, fault);
        final long recoveryMs = (System.nanoTime() - fromNs) / 1_000_000;
        Thread.sleep(STEADY_MS);
        List<String> open = clients.quiesce(OUTCOME_LIMIT_MS);
        must(open.isEmpty(), fault + ": no outcome after " + OUTCOME_LIMIT_MS + " ms: " + open);
        if (drained >= 0) {
            undrain(topology, drained);
        }
        List<String> left = topology.awaitEmpty(EMPTY_LIMIT_MS);
        must(left.isEmpty(), fault + ": tables are not empty: " + left);
        List<String> impossible = topology.impossibleCounters(IMPOSSIBLE);
        must(impossible.isEmpty(), fault + ": " + impossible);
        return judge(fault, topology, faults, clients.tally(), recoveryMs);
    }

    private static boolean isTokenizer(Fault fault) {
        return fault.first().role() == Fault.Role.TOKENIZER
                || fault.second() != null && fault.second().role() == Fault.Role.TOKENIZER;
    }

    private void awaitService(ChaosTopology topology, ChaosFaults faults, ChaosClients clients, Fault fault)
            throws InterruptedException {
        long deadline = System.nanoTime() + RECOVERY_LIMIT_MS * 1_000_000;
        String missing;
        do {
            try {
                missing = topology.missing(faults.gone());
            } catch (IOException e) {
                missing = e.toString();
            }
            if (missing == null) {
                // With little room the clients may have it all.
                String problem = mayRefuse ? null : clients.probe(probes++);
                must(problem == null, fault + ": " + problem);
                return;
            }
            Thread.sleep(POLL_MS);
        } while (System.nanoTime() - deadline < 0);
        broken.add(fault + ": not back after " + RECOVERY_LIMIT_MS + " ms: " + missing);
    }

    /** A rank whose process died meanwhile has a successor that is not drained. */
    private static void undrain(ChaosTopology topology, int rank) throws IOException, InterruptedException {
        for (JsonNode one : topology.insist("GET", "/ranks", null, CONTROL_LIMIT_MS)) {
            if (one.path("dp_rank").asInt() == rank
                    && one.path("state").asText().startsWith("drain")) {
                topology.insist("POST", "/ranks/" + rank + "/undrain", null, CONTROL_LIMIT_MS);
            }
        }
    }

    private Entry judge(
            Fault fault, ChaosTopology topology, ChaosFaults faults, ChaosClients.Tally tally, long recoveryMs)
            throws IOException {
        tally.wrong().forEach(line -> broken.add(fault + ": " + line));
        int cut = 0;
        for (ChaosClients.Broken lost : tally.broken()) {
            if (faults.explains(lost)) {
                cut++;
            } else {
                broken.add(fault + ": " + lost.rid() + ": " + lost.how());
            }
        }
        int refused = tally.verdicts().getOrDefault(Verdict.REFUSED, 0);
        boolean noController = fault.action() == Action.KILL
                && fault.first().role() == Fault.Role.CONTROLLER
                && recoveryMs > CONTROLLER_WAIT_MS;
        must(mayRefuse || noController || refused == 0, fault + ": " + refused + " requests were refused");
        checkRecords(fault, topology, tally.ended());
        return new Entry(
                fault.row(),
                mayRefuse && fault.phase() == Phase.LOAD
                        ? "overload"
                        : fault.phase().name().toLowerCase(Locale.ROOT),
                tally.requests(),
                tally.wrong().size() + tally.broken().size() - cut,
                cut,
                refused,
                tally.longestGapMs(),
                recoveryMs);
    }

    /** A worker's own record of a request says what its client saw: it ended, once. */
    private void checkRecords(Fault fault, ChaosTopology topology, List<String> rids) throws IOException {
        for (String rid : rids.subList(0, Math.min(SAMPLE, rids.size()))) {
            ChaosHttp.Reply reply = topology.call("GET", "/requests/" + rid, null);
            JsonNode sequences = reply.json().path("sequences");
            if (sequences.isEmpty() && workerDied) {
                continue; // it died with its worker
            }
            String outcome = sequences.path(0).path("outcome").asText();
            must(
                    sequences.size() == 1 && (outcome.equals("length") || outcome.equals("stop")),
                    fault + ": the record of " + rid + " says " + reply.body());
        }
    }

    private void checkDecisions() throws IOException {
        Path file = runDir.resolve("decisions");
        try (MessageUnpacker in = MessagePack.newDefaultUnpacker(new BufferedInputStream(Files.newInputStream(file)))) {
            DecisionCheck check = new DecisionCheck();
            check.read(in);
            broken.addAll(check.broken());
            System.out.printf("%d decisions of the last controller looked at%n", check.decisions());
        }
    }

    private void must(boolean holds, String otherwise) {
        if (!holds) {
            broken.add(otherwise);
        }
    }
}
