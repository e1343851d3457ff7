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
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * A process of every kind is killed under streams: every reply is whole, only the clients of a dead tokenizer worker see an
 * error, and every table is empty afterwards. {@code scripts/dev/kill-under-load.sh} runs the long form and prints a table.
 */
class KillUnderLoadIT {
    private static final int STREAMS = Integer.getInteger("kill.streams", 60);
    private static final int LENGTH = Integer.getInteger("kill.length", 120);
    /** Set by the script; the short form leaves out the rarer events and comparisons. */
    private static final String LONG_FORM = "kill.long";

    private static final boolean LONG = Boolean.getBoolean(LONG_FORM);
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
        return Arrays.stream(System.getProperty("kill.shapes", "2x2").split(","));
    }

    @ParameterizedTest
    @MethodSource("shapes")
    void shouldLoseNothingWithARank(String shape) throws Exception {
        try (Topology topology = start(shape)) {
            underStreams("kill -9 rank", shape, topology, () -> topology.kill(topology.rank(VICTIM)), LONGEST_GAP_MS);
            awaitBack(topology, "scheduler " + VICTIM);
        }
    }

    @ParameterizedTest
    @MethodSource("shapes")
    void shouldNotMixInAGhost(String shape) throws Exception {
        try (Topology topology = start(shape)) {
            long pid = topology.rank(VICTIM).pid();
            underStreams("SIGSTOP rank", shape, topology, () -> Signals.send("STOP", pid), LONGEST_GAP_MS);
            Signals.send("CONT", pid);
            awaitBack(topology, null);
        }
    }

    @ParameterizedTest
    @MethodSource("shapes")
    void shouldLoseNothingWithTheController(String shape) throws Exception {
        try (Topology topology = start(shape)) {
            long[] servedMs = new long[1];
            underStreams(
                    "kill -9 controller",
                    shape,
                    topology,
                    () -> {
                        long beganNs = System.nanoTime();
                        topology.kill(topology.process("controller", 0));
                        // Sent with no controller there: served by its successor.
                        Api.Reply reply = topology.api()
                                .post(
                                        "/generate",
                                        Map.of("text", "who is there", "sampling_params", Map.of("max_new_tokens", 1)));
                        servedMs[0] = (System.nanoTime() - beganNs) / 1_000_000;
                        assertThat(reply.status()).as(reply.body()).isEqualTo(200);
                    },
                    LONGEST_GAP_MS);
            System.out.printf("kill: controller serves again after %d ms%n", servedMs[0]);
            awaitBack(topology, "controller");
        }
    }

    @Test
    void shouldLoseNothingWithTheControllerOfRanksThatStepTogether() throws Exception {
        try (Topology topology = start("1x1", "--enable-dp-attention");
                Streams streams = new Streams(topology.api(), STREAMS, LENGTH)) {
            topology.kill(topology.process("controller", 0));
            row("kill -9 controller, DP attention", "1x1", streams, streams.outcomes(), 0);
            awaitBack(topology, "controller");
        }
    }

    @ParameterizedTest
    @MethodSource("shapes")
    void shouldLoseNothingWithADetokenizer(String shape) throws Exception {
        try (Topology topology = start(shape)) {
            // Its streams wait for the start of a JVM, so only the long form's machine can promise how long.
            underStreams(
                    "kill -9 detokenizer",
                    shape,
                    topology,
                    () -> topology.kill(topology.process("detokenizer", 0)),
                    Long.MAX_VALUE);
            awaitBack(topology, "detokenizer 0");
        }
    }

    /** Who dies together with the controller, so that its successor has less to learn from. */
    static Stream<String> together() {
        return Stream.of("scheduler", "detokenizer");
    }

    @ParameterizedTest
    @MethodSource("together")
    @EnabledIfSystemProperty(named = LONG_FORM, matches = "true")
    void shouldLoseNothingWithTheControllerAndAnother(String role) throws Exception {
        try (Topology topology = start("4x2");
                Streams streams = new Streams(topology.api(), STREAMS, LENGTH)) {
            topology.kill(topology.process("controller", 0));
            topology.kill(topology.process(role, 0));
            row("kill -9 controller, " + role, "4x2", streams, streams.outcomes(), 0);
            awaitBack(topology, "controller");
        }
    }

    /** Role and number of what is stopped while a part of the streams ends, and then goes on. */
    static Stream<Arguments> stopped() {
        return Stream.of(
                Arguments.of("controller", 0, STREAMS),
                Arguments.of("detokenizer", 0, STREAMS / 4),
                Arguments.of("tokenizer", 1, STREAMS / 4));
    }

    @ParameterizedTest
    @MethodSource("stopped")
    @EnabledIfSystemProperty(named = LONG_FORM, matches = "true")
    void shouldGoOnAfterAStop(String role, int number, int ended) throws Exception {
        try (Topology topology = start("4x2");
                Streams streams = new Streams(topology.api(), STREAMS, LENGTH)) {
            long pid = topology.process(role, number).pid();
            Signals.send("STOP", pid);
            await().atMost(BACK).until(() -> streams.ended() >= ended);
            Signals.send("CONT", pid);
            row("SIGSTOP " + role, "4x2", streams, streams.outcomes(), 0);
            awaitBack(topology, null);
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
                boolean stop = i % 2 == 0; // nothing but the silence tells of it
                long pid = topology.rankNow(rank).pid();
                long killedMs = System.currentTimeMillis();
                if (stop) {
                    Signals.send("STOP", pid);
                } else {
                    topology.kill(topology.rankNow(rank));
                }
                await().atMost(BACK).until(() -> downLines(topology, rank).size() > before);
                if (stop) {
                    Signals.send("CONT", pid);
                }
                tookMs.add(timeOf(downLines(topology, rank).get(before)) - killedMs);
                await().atMost(BACK).until(() -> topology.api().get("/health").status() == 200);
            }
            System.out.printf(
                    "kill: detected within a second in %d of %d, stopped and killed in turn, ms: %s%n",
                    tookMs.stream().filter(ms -> ms < DETECTED_MS).count(), DETECTIONS, tookMs);
            assertThat(tookMs).allMatch(ms -> ms < DETECTED_MS);
        }
    }

    private static Topology start(String shape, String... more) {
        String[] counts = shape.split("x");
        List<String> flags = new ArrayList<>(List.of(
                "--dp-size",
                Integer.toString(RANKS),
                "--restart",
                "--incremental-streaming-output",
                "--tokenizer-worker-num",
                counts[0],
                "--detokenizer-worker-num",
                counts[1]));
        flags.addAll(List.of(more));
        return Topology.start(flags.toArray(String[]::new));
    }

    /** In the long form an undisturbed run to compare with; then one with the event while all streams run. */
    private static void underStreams(
            String what, String shape, Topology topology, Runnable event, long longestAllowedMs) throws Exception {
        double undisturbedMs = 0;
        if (LONG) {
            undisturbedMs(topology); // warm
            undisturbedMs = undisturbedMs(topology);
        }
        try (Streams streams = new Streams(topology.api(), STREAMS, LENGTH)) {
            event.run();
            long longestMs = row(what, shape, streams, streams.outcomes(), undisturbedMs);
            assertThat(longestMs).as("longest gap, ms").isLessThan(longestAllowedMs);
        }
    }

    private static double undisturbedMs(Topology topology) throws Exception {
        try (Streams streams = new Streams(topology.api(), STREAMS, LENGTH)) {
            return p99Ms(streams.outcomes());
        }
    }

    /** Asserts that all replies are whole and prints a row of the table; returns the longest gap, ms. */
    private static long row(
            String what, String shape, Streams streams, List<Streams.Outcome> outcomes, double undisturbedMs) {
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
        double othersMs = p99Ms(others);
        System.out.printf(
                "kill: %-20s %s  %3d of %3d equal  longest gap %4d ms  ITL p99 of %3d undisturbed streams %3.0f ms, %s%n",
                what,
                shape,
                whole,
                STREAMS,
                longestNs / 1_000_000,
                others.size(),
                othersMs,
                undisturbedMs == 0 ? "-" : String.format("%.2f of a run without it", othersMs / undisturbedMs));
        assertThat(whole).as("whole replies, %s", what).isEqualTo(STREAMS);
        return longestNs / 1_000_000;
    }

    private static double p99Ms(List<Streams.Outcome> outcomes) {
        long[] gaps = outcomes.stream()
                .flatMap(o -> o.gapsNs().stream())
                .mapToLong(Long::longValue)
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
