package dpserve.it;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.time.Duration;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Four tokenizer workers behind one port, two detokenizers: what one worker must know of another's requests. */
class ManyWorkersIT {
    private static final int WORKERS = 4;

    /** So many aborts over connections of their own that all of them reaching the owner is out of the question. */
    private static final int ABORTS = 12;

    /** Takes a minute and a half at the engine's pace, if nobody aborts it. */
    private static final int LONG = 2_000;

    private static Topology topology;

    @BeforeAll
    static void start() {
        topology = Topology.start(
                "--dp-size", "2", "--tokenizer-worker-num", Integer.toString(WORKERS), "--detokenizer-worker-num", "2");
    }

    @AfterAll
    static void stop() {
        topology.close();
    }

    @Test
    void shouldAbortThroughAnyWorker() {
        for (int i = 0; i < ABORTS; i++) {
            String rid = "abort-" + i;
            try (Api.Events events = topology.api().stream("/generate", request(rid, LONG))) {
                assertThat(events.next()).as("first event").isNotNull();
                long abortedNs = System.nanoTime();
                assertThat(topology.api()
                                .post("/abort_request", Map.of("rid", rid))
                                .status())
                        .isEqualTo(200);
                JsonNode last = null;
                for (JsonNode event = events.next(); event != null; event = events.next()) {
                    last = event;
                }
                assertThat(Duration.ofNanos(System.nanoTime() - abortedNs)).isLessThan(Duration.ofSeconds(5));
                assertThat(last).isNotNull();
                assertThat(last.get("meta_info")
                                .get("finish_reason")
                                .get("type")
                                .asText())
                        .isEqualTo("abort");
            }
        }
        ServerInfo.awaitEmpty(topology.api());
    }

    @Test
    void shouldListEveryProcessWhicheverWorkerIsAsked() {
        for (int i = 0; i < WORKERS; i++) {
            Set<Long> pids = new TreeSet<>();
            ServerInfo.processes(topology.api())
                    .forEach(p -> pids.add(p.get("pid").asLong()));
            Set<Long> expected = new TreeSet<>();
            topology.processes().forEach(p -> expected.add(p.pid()));
            assertThat(pids).isEqualTo(expected);
        }
    }

    @Test
    void shouldGiveOnePageOfMetricsForAllWorkers() {
        double before = generatedTokens();
        for (int i = 0; i < 2 * WORKERS; i++) {
            topology.api().post("/generate", Map.of("text", "metrics " + i, "sampling_params", sampling(4)));
        }
        assertThat(generatedTokens() - before).isEqualTo(2 * WORKERS * 4);
    }

    private static double generatedTokens() {
        return Metrics.of(topology.api()).sum("sglang:generation_tokens_total");
    }

    private static Map<String, Object> request(String rid, int length) {
        return Map.of("rid", rid, "text", "one request of many", "stream", true, "sampling_params", sampling(length));
    }

    private static Map<String, Object> sampling(int length) {
        return Map.of("max_new_tokens", length, "ignore_eos", true);
    }
}
