package dpserve.it;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * What an operator does with ranks while requests run (docs/operations.md): no reply is lost or wrong. The rolling restart
 * has a long form: {@code -Drolling.ranks=4 -Drolling.streams=100}.
 */
class RankScriptIT {
    private static final Duration SOON = Duration.ofSeconds(20);
    private static final int ROLLING_RANKS = Integer.getInteger("rolling.ranks", 3);
    private static final int ROLLING_STREAMS = Integer.getInteger("rolling.streams", 24);
    private static final int ROLLING_LENGTH = 40;
    private static final int SCRIPT_TIMEOUT_S = 60;

    private static Map<Integer, String> states(Topology topology) {
        Map<Integer, String> states = new TreeMap<>();
        for (JsonNode rank : topology.api().get("/ranks").json()) {
            states.put(rank.get("dp_rank").asInt(), rank.get("state").asText());
        }
        return states;
    }

    private static Script rank(Topology topology, String... arguments) {
        List<String> all = new ArrayList<>(List.of(arguments));
        all.addAll(List.of("--run-dir", topology.runFolder().toString()));
        Script script = Script.start(Script.repository(), Map.of(), "rank.sh", all);
        assertThat(script.exitStatus()).as(script.output()).isZero();
        return script;
    }

    private static void assertWhole(Streams streams) throws Exception {
        List<Streams.Outcome> outcomes = streams.outcomes();
        for (int i = 0; i < outcomes.size(); i++) {
            assertThat(streams.isWhole(i, outcomes.get(i)))
                    .as("stream %d: %s", i, outcomes.get(i).error())
                    .isTrue();
        }
    }

    private static Map<String, Object> body(String text, int length) {
        return Map.of(
                "input_ids",
                Expected.encode(text),
                "sampling_params",
                Map.of("max_new_tokens", length, "ignore_eos", true));
    }

    @Test
    void shouldDrainAddAndRemoveUnderStreams() throws Exception {
        try (Topology topology = Topology.start("--dp-size", "2", "--incremental-streaming-output");
                Streams streams = new Streams(topology.api(), 12, 150)) {
            Api api = topology.api();
            Api.Reply drained = api.post("/ranks/0/drain", Map.of());
            assertThat(drained.status()).as(drained.body()).isEqualTo(200);
            assertThat(drained.json().get("state").asText()).isEqualTo("draining");
            Api.Reply health = api.get("/health");
            assertThat(health.status()).as("drained on purpose").isEqualTo(200);
            for (int i = 0; i < 8; i++) {
                Api.Reply reply = api.post("/generate", body("after the drain " + i, 3));
                assertThat(reply.json().get("meta_info").get("dp_rank").asInt()).isEqualTo(1);
            }
            Api.Reply pinned =
                    api.post("/generate", Map.of("text", "pinned", "routed_dp_rank", 0, "sampling_params", Map.of()));
            assertThat(pinned.status()).isEqualTo(503);
            assertThat(api.post("/ranks/9/drain", Map.of()).status()).isEqualTo(404);
            assertThat(api.post("/ranks/x/drain", Map.of()).status()).isEqualTo(400);
            assertThat(api.post("/ranks/0/dance", Map.of()).status()).isEqualTo(404);
            assertThat(api.delete("/ranks/1").status()).as("it takes requests").isEqualTo(409);
            assertWhole(streams);
            await().atMost(SOON)
                    .until(() -> api.get("/v1/loads")
                            .json()
                            .at("/rank_states/0")
                            .asText()
                            .equals("drained"));
            assertThat(states(topology)).isEqualTo(Map.of(0, "drained", 1, "up"));

            rank(topology, "add", "2");
            assertThat(states(topology)).isEqualTo(Map.of(0, "drained", 1, "up", 2, "up"));
            Api.Reply onTheNewOne = api.post(
                    "/generate",
                    Map.of("text", "pinned", "routed_dp_rank", 2, "sampling_params", Map.of("max_new_tokens", 2)));
            assertThat(onTheNewOne.status()).as(onTheNewOne.body()).isEqualTo(200);

            long gone = topology.rank(0).pid();
            rank(topology, "remove", "0");
            assertThat(Signals.isAlive(gone)).isFalse();
            assertThat(states(topology)).isEqualTo(Map.of(1, "up", 2, "up"));
            assertThat(api.get("/health").status()).isEqualTo(200);
            assertThat(rank(topology, "add").output()).contains("dp_rank 0 takes requests");
            assertThat(rank(topology, "list").output())
                    .containsPattern("0 +up +" + topology.rankNow(0).pid());
            ServerInfo.awaitEmpty(api);
        }
    }

    @Test
    void shouldMoveWhatIsLeftWhenTheTimeToDrainIsOver() throws Exception {
        try (Topology topology = Topology.start("--dp-size", "2", "--incremental-streaming-output");
                Streams streams = new Streams(topology.api(), 8, 250)) {
            Script removal = rank(topology, "remove", "1", "--drain-timeout-s", "0");
            assertThat(removal.output()).contains("they go on at other ranks");
            assertWhole(streams);
            ServerInfo.awaitEmpty(topology.api());
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"--enable-dp-attention=false", "--enable-dp-attention=true"})
    void shouldFailNoRequestInARollingRestart(String together) throws Exception {
        try (Topology topology = Topology.start("--dp-size", Integer.toString(ROLLING_RANKS), together)) {
            Api api = topology.api();
            AtomicBoolean stop = new AtomicBoolean();
            ConcurrentLinkedQueue<String> failures = new ConcurrentLinkedQueue<>();
            ConcurrentLinkedQueue<Boolean> done = new ConcurrentLinkedQueue<>();
            List<CompletableFuture<Void>> clients = IntStream.range(0, ROLLING_STREAMS)
                    .mapToObj(i -> CompletableFuture.runAsync(
                            () -> {
                                for (int n = 0; !stop.get(); n++) {
                                    String prompt = "client " + i + " request " + n;
                                    Api.Reply reply = api.post("/generate", body(prompt, ROLLING_LENGTH));
                                    String expected = Expected.full(Expected.encode(prompt), ROLLING_LENGTH)
                                            .text();
                                    if (reply.status() != 200
                                            || !reply.json()
                                                    .get("text")
                                                    .asText()
                                                    .equals(expected)) {
                                        failures.add(reply.status() + " " + reply.body());
                                    }
                                    done.add(true);
                                }
                            },
                            task -> new Thread(task, "client " + i).start()))
                    .toList();
            List<Long> before = pids(topology);
            Script rolling = rank(topology, "restart", "all");
            int during = done.size();
            stop.set(true);
            for (CompletableFuture<Void> client : clients) {
                client.get(SCRIPT_TIMEOUT_S, TimeUnit.SECONDS);
            }
            System.out.printf(
                    "rolling restart: %d ranks, %s, %d requests meanwhile, %d failed%n%s%n",
                    ROLLING_RANKS, together, during, failures.size(), rolling.output());
            assertThat(failures).isEmpty();
            assertThat(during).as("requests during the restart").isGreaterThan(ROLLING_STREAMS);
            assertThat(pids(topology)).hasSize(ROLLING_RANKS).doesNotContainAnyElementsOf(before);
            ServerInfo.awaitEmpty(api);
        }
    }

    private static List<Long> pids(Topology topology) {
        return IntStream.range(0, ROLLING_RANKS)
                .mapToObj(r -> topology.rankNow(r).pid())
                .toList();
    }

    @Test
    void shouldStayDrainedThroughADeathOfTheController() {
        try (Topology topology = Topology.start("--dp-size", "2", "--restart", "--time-scale", "0")) {
            assertThat(topology.api().post("/ranks/1/drain", Map.of()).status()).isEqualTo(200);
            topology.kill(topology.process("controller", 0));
            await().atMost(SOON).until(() -> topology.launcher().output().contains("controller is ready again"));
            await().atMost(SOON)
                    .ignoreExceptions()
                    .untilAsserted(() -> assertThat(states(topology)).isEqualTo(Map.of(0, "up", 1, "drained")));
        }
    }

    @Test
    void shouldFinishStreamsAndRefuseNewOnesOnSigterm() throws Exception {
        Topology topology = Topology.start("--dp-size", "2", "--incremental-streaming-output");
        try (Streams streams = new Streams(topology.api(), 12, 200)) {
            topology.launcher().signal("TERM");
            await().atMost(SOON)
                    .pollInterval(Duration.ofMillis(20))
                    .until(() -> topology.api()
                                    .post("/generate", body("too late", 2))
                                    .status()
                            == 503);
            assertThat(streams.ended()).as("streams that have ended by then").isZero();
            assertWhole(streams);
        }
        assertThat(topology.launcher().exitStatus()).isZero();
        topology.deleteFolder();
    }

    @Test
    void shouldEndAtOnceOnASecondSignal() throws Exception {
        Topology topology = Topology.start("--dp-size", "2", "--incremental-streaming-output");
        try (Streams streams = new Streams(topology.api(), 4, 3000)) {
            topology.launcher().signal("TERM");
            await().atMost(SOON)
                    .pollInterval(Duration.ofMillis(20))
                    .until(() -> topology.api()
                                    .post("/generate", body("too late", 2))
                                    .status()
                            == 503);
            topology.launcher().signal("TERM");
            await().atMost(Duration.ofSeconds(5))
                    .until(() -> !topology.launcher().isRunning());
            assertThat(topology.processes()).noneMatch(p -> Signals.isAlive(p.pid()));
            assertThat(streams.outcomes()).allMatch(o -> o.error() != null);
        }
        topology.deleteFolder();
    }
}
