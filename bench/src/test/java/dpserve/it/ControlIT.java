package dpserve.it;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The calls around generation, with the engine at its own pace. */
class ControlIT {
    private static final int RANKS = 2;
    private static final int LONG = 2_000;
    private static final Duration SOON = Duration.ofSeconds(5);

    private static Topology topology;
    private static Api api;

    @BeforeAll
    static void start() {
        topology = Topology.start("--dp-size", Integer.toString(RANKS));
        api = topology.api();
    }

    @AfterAll
    static void stop() {
        topology.close();
    }

    @Test
    void shouldAbortOnItsRankWhatAClientLeaves() {
        try (Api.Events events = api.stream("/generate", request("a client that leaves", LONG, true))) {
            events.next();
            await().atMost(SOON).until(() -> running() == 1);
        }
        await().atMost(SOON).until(() -> running() == 0);
        ServerInfo.awaitEmpty(api);
    }

    @Test
    void shouldAbortByRid() {
        Map<String, Object> body =
                Map.of("rid", "named", "text", "abort me", "stream", true, "sampling_params", sampling(LONG));
        try (Api.Events events = api.stream("/generate", body)) {
            events.next();
            assertThat(api.post("/abort_request", Map.of("rid", "named")).status())
                    .isEqualTo(200);
            JsonNode last = null;
            for (JsonNode event = events.next(); event != null; event = events.next()) {
                last = event;
            }
            assertThat(last.get("meta_info").get("finish_reason").get("type").asText())
                    .isEqualTo("abort");
        }
    }

    @Test
    void shouldFlushTheCachesOfIdleRanksOnly() {
        Map<String, Object> body =
                Map.of("text", "the same long prompt ".repeat(40), "routed_dp_rank", 0, "sampling_params", sampling(2));
        api.post("/generate", body);
        assertThat(cachedTokens(api.post("/generate", body))).isPositive();
        await().atMost(SOON)
                .untilAsserted(
                        () -> assertThat(api.post("/flush_cache", "").status()).isEqualTo(200));
        assertThat(cachedTokens(api.post("/generate", body))).isZero();
        try (Api.Events events = api.stream("/generate", request("busy", LONG, true))) {
            events.next();
            assertThat(api.post("/flush_cache", "").status()).isEqualTo(400);
        }
    }

    @Test
    void shouldTellTheLoadOfEachRank() {
        try (Api.Events events = api.stream(
                "/generate",
                Map.of("text", "load", "stream", true, "routed_dp_rank", 1, "sampling_params", sampling(LONG)))) {
            events.next();
            await().atMost(SOON).untilAsserted(() -> {
                JsonNode loads = api.get("/get_load").json();
                assertThat(loads).hasSize(RANKS);
                assertThat(loads.get(1).get("dp_rank").asInt()).isEqualTo(1);
                assertThat(loads.get(1).get("num_reqs").asInt()).isEqualTo(1);
                assertThat(loads.get(0).get("num_reqs").asInt()).isZero();
                assertThat(loads.get(1).get("num_tokens").asInt()).isPositive();
            });
            JsonNode loads = api.get("/v1/loads").json().get("loads");
            assertThat(loads).hasSize(RANKS);
            Metrics metrics = Metrics.of(api);
            for (int rank = 0; rank < RANKS; rank++) {
                assertThat(metrics.count("sglang:num_running_reqs", "dp_rank=\"" + rank + "\""))
                        .isEqualTo(1);
            }
            assertThat(metrics.sum("sglang:num_running_reqs")).isEqualTo(1);
        }
        await().atMost(SOON).until(() -> running() == 0);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "/health",
                "/health_generate",
                "/v1/models",
                "/get_model_info",
                "/model_info",
                "/get_server_info",
                "/server_info",
                "/get_load",
                "/v1/loads",
                "/metrics"
            })
    void shouldAnswer(String path) {
        assertThat(api.get(path).status()).isEqualTo(200);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "/generate            | {\"text\": \"no end                                        | 400",
                "/generate            | {}                                                         | 400",
                "/generate            | {\"text\": 7}                                              | 400",
                "/generate            | {\"input_ids\": [1, -1]}                                   | 400",
                "/generate            | {\"input_ids\": [1, 99999999]}                             | 400",
                "/generate            | {\"text\": \"a\", \"input_ids\": [1]}                      | 400",
                "/generate            | {\"text\": \"a\", \"routed_dp_rank\": 2}                   | 400",
                "/generate            | {\"text\": \"a\", \"return_logprob\": true}                | 400",
                "/generate            | {\"text\": \"a\", \"sampling_params\": {\"top_p\": 2}}     | 400",
                "/generate            | {\"text\": \"a\", \"sampling_params\": {\"n\": 0}}         | 400",
                "/v1/completions      | {\"model\": \"simulated\"}                                 | 400",
                "/v1/chat/completions | {\"model\": \"simulated\", \"messages\": []}               | 400",
                "/v1/chat/completions | {\"model\": \"simulated\", \"messages\": \"hello\"}        | 400",
                "/no/such/path        | {}                                                         | 404"
            })
    void shouldRefuseBadInput(String path, String body, int status) {
        Api.Reply reply = api.post(path, body);
        assertThat(reply.status()).as(reply.body()).isEqualTo(status);
        assertThat(reply.contentType()).startsWith("application/json");
    }

    @Test
    void shouldRefuseAPromptLongerThanTheContext() {
        int[] prompt = new int[1_500_000];
        java.util.Arrays.fill(prompt, 1);
        Api.Reply reply = api.post("/generate", Map.of("input_ids", prompt));
        assertThat(reply.status()).isEqualTo(400);
        assertThat(reply.body()).contains("context");
    }

    private static int running() {
        int running = 0;
        for (JsonNode load : api.get("/get_load").json()) {
            running += load.get("num_reqs").asInt();
        }
        return running;
    }

    private static int cachedTokens(Api.Reply reply) {
        return reply.json().get("meta_info").get("cached_tokens").asInt();
    }

    private static Map<String, Object> request(String text, int length, boolean stream) {
        return Map.of("text", text, "stream", stream, "sampling_params", sampling(length));
    }

    private static Map<String, Object> sampling(int length) {
        return Map.of("max_new_tokens", length, "ignore_eos", true);
    }
}
