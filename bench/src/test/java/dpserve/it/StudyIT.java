package dpserve.it;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** All that one load on one topology can be asked: stage times, step logs, decisions, and balancing changed while it runs. */
class StudyIT {
    private static final int REQUESTS = 1000;
    private static final ObjectMapper JSON = new ObjectMapper();

    /** Policy and path of the loads, one after the other while the load runs. */
    private static final List<List<String>> CHANGES = List.of(
            List.of("least_requests", "direct"),
            List.of("shortest_queue", "piggyback"),
            List.of("prefix_affinity", "accounting"),
            List.of("total_tokens", "watch"),
            List.of("power_of_two", "piggyback"));

    @TempDir
    private Path folder;

    @Test
    void shouldTellWhereTheTimeWentAndWhyEachRankWasChosen() throws Exception {
        Path steps = folder.resolve("steps");
        Path decisions = folder.resolve("decisions");
        try (Topology topology = Topology.start(
                "--dp-size",
                "3",
                "--tokenizer-worker-num",
                "2",
                "--enable-dp-attention",
                "--time-scale",
                "0.1",
                "--load-balance-method",
                "round_robin",
                "--step-log",
                steps.toString(),
                "--decision-log",
                decisions.toString())) {
            CompletableFuture<Script> load = CompletableFuture.supplyAsync(() -> load(topology));
            shouldBalanceInAnotherWayWhileItRuns(topology.api(), load);
            Script script = load.get();
            assertThat(script.exitStatus()).as(script.output()).isZero();
            assertThat(script.output())
                    .contains("Verify: 1000 replies as expected, 0 wrong, 0 lost, 0 doubled, 0 failed");
            ServerInfo.awaitEmpty(topology.api());
            JsonNode result = JSON.readTree(folder.resolve("result.jsonl").toFile());
            shouldAddUpToAtMostTheWallTime(result);
            shouldKnowRequestsOfAnyWorker(topology.api(), result);
            shouldTakeNoStepWithoutWork(topology.api());
        }
        shouldHaveSteppedTogether(steps);
        Script replay = Script.run("dev/replay-decisions.sh", "--no-build", decisions.toString());
        assertThat(replay.exitStatus()).as(replay.output()).isZero();
        assertThat(replay.output()).contains(" 0 different (0.0 %), 0 entries missing");
    }

    private Script load(Topology topology) {
        Script script = Script.start(
                folder,
                Map.of(),
                "bench-serving.sh",
                List.of(
                        "--no-build",
                        "--port",
                        Integer.toString(topology.port()),
                        "--dataset-name",
                        "random-ids",
                        "--num-prompts",
                        Integer.toString(REQUESTS),
                        "--random-input-len",
                        "60",
                        "--random-output-len",
                        "60",
                        "--random-range-ratio",
                        "0.3",
                        "--max-concurrency",
                        "60",
                        "--verify",
                        "--output-details",
                        "--output-file",
                        "result.jsonl"));
        script.exitStatus();
        return script;
    }

    private static void shouldBalanceInAnotherWayWhileItRuns(Api api, CompletableFuture<Script> load) {
        for (List<String> change : CHANGES) {
            Api.Reply reply = api.put(
                    "/load_balance",
                    "{\"method\":\"" + change.get(0) + "\",\"report\":\"" + change.get(1) + "\",\"delay_ms\":20}");
            assertThat(reply.status()).as(reply.body()).isEqualTo(200);
            assertThat(api.get("/load_balance").json())
                    .hasToString("{\"method\":\"" + change.get(0) + "\",\"report\":\"" + change.get(1)
                            + "\",\"delay_ms\":20.0}");
            double before = forwarded(api);
            await().atMost(Duration.ofSeconds(60))
                    .pollInterval(Duration.ofMillis(200))
                    .until(() -> load.isDone() || forwarded(api) > before + 30);
        }
        assertThat(api.put("/load_balance", "{\"method\":\"no_such\"}").status())
                .isEqualTo(400);
        assertThat(api.put("/load_balance", "{\"report\":\"pigeon\"}").body()).contains("report must be one of watch");
        assertThat(api.put("/load_balance", "{}").status()).isEqualTo(400);
    }

    private static double forwarded(Api api) {
        for (JsonNode process : ServerInfo.processes(api)) {
            if (process.path("role").asText().equals("controller")) {
                return process.path("counters").path("forwarded").asDouble();
            }
        }
        throw new AssertionError("no controller");
    }

    /** The stages end before the reply has arrived; what they leave of the wall time is the client's and depends on it. */
    private static void shouldAddUpToAtMostTheWallTime(JsonNode result) {
        assertThat(result.get("stages")).hasSize(REQUESTS);
        for (int i = 0; i < REQUESTS; i++) {
            JsonNode of = result.get("stages").get(i);
            assertThat(of).hasSize(8);
            double stages = 0;
            for (JsonNode seconds : of) {
                assertThat(seconds.asDouble()).isNotNegative();
                stages += seconds.asDouble();
            }
            assertThat(stages).isBetween(0.0, result.get("latencies").get(i).asDouble() + 1e-3);
            assertThat(of.get("decode").asDouble()).isPositive();
        }
    }

    private static void shouldKnowRequestsOfAnyWorker(Api api, JsonNode result) {
        for (int i = 0; i < 20; i++) {
            String rid = result.get("rids").get(i * REQUESTS / 20).asText();
            JsonNode known = api.get("/requests/" + rid).json();
            assertThat(known.path("sequences")).as(known.toString()).hasSize(1);
            JsonNode sequence = known.path("sequences").get(0);
            assertThat(sequence.path("outcome").asText()).isEqualTo("length");
            assertThat(sequence.path("dp_rank").asInt())
                    .isEqualTo(result.get("dp_ranks").get(i * REQUESTS / 20).asInt())
                    .isEqualTo(known.path("decisions").get(0).path("dp_rank").asInt());
            assertThat(known.path("decisions").get(0).path("ranks")).hasSize(3);
        }
        assertThat(api.get("/requests/never-seen").status()).isEqualTo(404);
    }

    private static void shouldTakeNoStepWithoutWork(Api api) {
        List<Long> first = steps(api);
        assertThat(first).hasSize(3);
        for (int i = 0; i < 5; i++) {
            assertThat(steps(api)).isEqualTo(first);
        }
    }

    private static List<Long> steps(Api api) {
        List<Long> steps = new ArrayList<>();
        for (JsonNode process : ServerInfo.processes(api)) {
            if (process.path("role").asText().equals("scheduler")) {
                assertThat(process.path("counters").path("lockstep_peers").asInt())
                        .isEqualTo(2);
                steps.add(process.path("counters").path("lockstep_steps").asLong());
            }
        }
        return steps;
    }

    /** Each step has one length, the longest of its parts, on every rank that knows it. */
    private static void shouldHaveSteppedTogether(Path steps) throws IOException {
        List<Map<Long, double[]>> ranks = new ArrayList<>();
        Set<Long> common = null;
        for (int r = 0; r < 3; r++) {
            Map<Long, double[]> of = new java.util.HashMap<>();
            for (String line :
                    Files.readAllLines(steps.resolve("steps-" + r + ".csv")).subList(1, 300)) {
                String[] f = line.split(",");
                of.put(Long.parseLong(f[0]), new double[] {Double.parseDouble(f[3]), Double.parseDouble(f[4])});
            }
            ranks.add(of);
            common = common == null ? new HashSet<>(of.keySet()) : common;
            common.retainAll(of.keySet());
        }
        assertThat(common).hasSizeGreaterThan(200);
        for (long step : common) {
            double slowest =
                    ranks.stream().mapToDouble(r -> r.get(step)[1]).max().orElseThrow();
            assertThat(ranks).allSatisfy(r -> assertThat(r.get(step)[0]).isCloseTo(slowest, within(1e-6)));
        }
    }
}
