package dpserve.it;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.LocalDateTime;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * A process of every kind is killed under streams: every reply is whole, only the clients of a dead tokenizer worker see an
 * error, and every table is empty afterwards. {@code scripts/dev/kill-under-load.sh} runs the long form and prints a table.
 */
class KillUnderLoadIT {
    private static final int STREAMS = Integer.getInteger("kill.streams", 60);
    private static final int LENGTH = Integer.getInteger("kill.length", 120);
    private static final int DETECTIONS = Integer.getInteger("kill.detections", 4);

    private static final int RANKS = 4;
    private static final int VICTIM = 2;
    private static final long LONGEST_GAP_MS = 3000;
    private static final long DETECTED_MS = 1000;
    private static final Duration BACK = Duration.ofSeconds(30);
    private static final DateTimeFormatter LOG_TIME = DateTimeFormatter.ofPattern("yyyy-MM-dd HH:mm:ss.SSS");
    private static final int LOG_TIME_LENGTH = "yyyy-MM-dd HH:mm:ss.SSS".length();

    /** Tokenizers x detokenizers. */
    static Stream<String> shapes() {
        return Arrays.stream(System.getProperty("kill.shapes", "4x2").split(","));
    }

    @ParameterizedTest
    @MethodSource("shapes")
    void shouldLoseNothingWithARank(String shape) throws Exception {
        try (Topology topology = start(shape)) {
            underStreams("kill -9 rank, " + shape, topology, () -> topology.kill(topology.rank(VICTIM)));
            awaitBack(topology, "scheduler " + VICTIM);
        }
    }

    @ParameterizedTest
    @MethodSource("shapes")
    void shouldNotMixInAGhost(String shape) throws Exception {
        try (Topology topology = start(shape)) {
            long pid = topology.rank(VICTIM).pid();
            underStreams("SIGSTOP rank, " + shape, topology, () -> Signals.send("STOP", pid));
            Signals.send("CONT", pid);
            awaitBack(topology, null);
        }
    }

    @ParameterizedTest
    @MethodSource("shapes")
    void shouldLoseNothingWithTheController(String shape) throws Exception {
        try (Topology topology = start(shape)) {
            long[] servedMs = new long[1];
            underStreams("kill -9 controller, " + shape, topology, () -> {
                long beganNs = System.nanoTime();
                topology.kill(topology.process("controller", 0));
                // Sent with no controller there: served by its successor.
                Api.Reply reply = topology.api()
                        .post(
                                "/generate",
                                Map.of("text", "who is there", "sampling_params", Map.of("max_new_tokens", 1)));
                servedMs[0] = (System.nanoTime() - beganNs) / 1_000_000;
                assertThat(reply.status()).as(reply.body()).isEqualTo(200);
            });
            System.out.printf("kill: controller serves again after %d ms%n", servedMs[0]);
            awaitBack(topology, "controller");
        }
    }

    @ParameterizedTest
    @MethodSource("shapes")
    void shouldLoseNothingWithADetokenizer(String shape) throws Exception {
        try (Topology topology = start(shape)) {
            underStreams(
                    "kill -9 detokenizer, " + shape, topology, () -> topology.kill(topology.process("detokenizer", 0)));
            awaitBack(topology, "detokenizer 0");
        }
    }

    @Test
    void shouldFailOnlyTheClientsOfADeadWorker() throws Exception {
        try (Topology topology = start("4x2");
                Streams streams = new Streams(topology.api(), STREAMS, LENGTH)) {
            int its = requestsOf(topology, 1);
            topology.kill(topology.process("tokenizer", 1));
            List<Streams.Outcome> outcomes = streams.outcomes();
            int failed = 0;
            for (int i = 0; i < STREAMS; i++) {
                if (outcomes.get(i).error() == null) {
                    assertThat(streams.isWhole(i, outcomes.get(i)))
                            .as("stream %d", i)
                            .isTrue();
                } else {
                    failed++;
                    assertThat(outcomes.get(i).error()).startsWith("connection: ");
                    assertThat(streams.isBeginning(i, outcomes.get(i))).isTrue();
                }
            }
            System.out.printf("kill: tokenizer worker 1 of 4: %d of %d streams were its own and failed%n", failed, its);
            assertThat(failed).isEqualTo(its);
            awaitBack(topology, "tokenizer 1");
        }
    }

    @Test
    void shouldNoticeADeathWithinASecond() throws Exception {
        try (Topology topology = start("1x1")) {
            List<Long> tookMs = new ArrayList<>();
            for (int i = 0; i < DETECTIONS; i++) {
                int rank = i % RANKS;
                int before = downLines(topology, rank).size();
                long killedMs = System.currentTimeMillis();
                topology.kill(topology.rankNow(rank));
                await().atMost(BACK).until(() -> downLines(topology, rank).size() > before);
                tookMs.add(timeOf(downLines(topology, rank).get(before)) - killedMs);
                await().atMost(BACK).until(() -> topology.api().get("/health").status() == 200);
            }
            System.out.printf("kill: detected after %s ms%n", tookMs);
            assertThat(tookMs).allMatch(ms -> ms < DETECTED_MS);
        }
    }

    private static Topology start(String shape) {
        String[] counts = shape.split("x");
        return Topology.start(
                "--dp-size",
                Integer.toString(RANKS),
                "--restart",
                "--incremental-streaming-output",
                "--tokenizer-worker-num",
                counts[0],
                "--detokenizer-worker-num",
                counts[1]);
    }

    /** One undisturbed run, then one with the event while all streams run. */
    private static void underStreams(String what, Topology topology, Runnable event) throws Exception {
        double undisturbedMs;
        try (Streams streams = new Streams(topology.api(), STREAMS, LENGTH)) {
            undisturbedMs = p99Ms(streams.outcomes(), 0);
        }
        try (Streams streams = new Streams(topology.api(), STREAMS, LENGTH)) {
            event.run();
            List<Streams.Outcome> outcomes = streams.outcomes();
            int whole = 0;
            long longestNs = 0;
            List<Streams.Outcome> others = new ArrayList<>();
            for (int i = 0; i < STREAMS; i++) {
                Streams.Outcome outcome = outcomes.get(i);
                whole += streams.isWhole(i, outcome) ? 1 : 0;
                longestNs = Math.max(longestNs, outcome.longestGapNs());
                if (outcome.ranks().size() == 1) {
                    others.add(outcome);
                }
            }
            System.out.printf(
                    "kill: %-28s %d of %d replies equal, longest gap %d ms, %d streams of other ranks: ITL p99 %.0f ms,"
                            + " undisturbed %.0f ms%n",
                    what, whole, STREAMS, longestNs / 1_000_000, others.size(), p99Ms(others, 0), undisturbedMs);
            assertThat(whole).as(what).isEqualTo(STREAMS);
            assertThat(longestNs / 1_000_000).as("longest gap, ms").isLessThan(LONGEST_GAP_MS);
        }
    }

    private static double p99Ms(List<Streams.Outcome> outcomes, long fromNs) {
        long[] gaps = outcomes.stream()
                .flatMap(o -> o.gapsNs().stream())
                .filter(g -> g.beganNs() >= fromNs)
                .mapToLong(Streams.Gap::ns)
                .sorted()
                .toArray();
        return gaps.length == 0 ? 0 : gaps[(int) (gaps.length * 0.99)] / 1e6;
    }

    /** The successor is there, all ranks are up, and nothing is left of the requests. */
    private static void awaitBack(Topology topology, String name) {
        if (name != null) {
            await().atMost(BACK).until(() -> topology.launcher().output().contains(name + " is ready again"));
        }
        await().atMost(BACK).until(() -> topology.api().get("/health").status() == 200);
        ServerInfo.awaitEmpty(topology.api());
    }

    private static int requestsOf(Topology topology, int worker) {
        for (JsonNode process : ServerInfo.processes(topology.api())) {
            if (process.get("role").asText().equals("tokenizer")
                    && process.get("index").asInt() == worker) {
                return process.get("tables").get("requests").asInt();
            }
        }
        throw new AssertionError("no tokenizer worker " + worker);
    }

    private static List<String> downLines(Topology topology, int rank) throws IOException {
        Path log = topology.process("controller", 0).log();
        try (Stream<String> lines = Files.lines(log)) {
            return lines.filter(l -> l.contains("dp_rank " + rank + " is down")).toList();
        }
    }

    private static long timeOf(String logLine) {
        return LocalDateTime.parse(logLine.substring(0, LOG_TIME_LENGTH), LOG_TIME)
                .atZone(ZoneId.systemDefault())
                .toInstant()
                .toEpochMilli();
    }
}
