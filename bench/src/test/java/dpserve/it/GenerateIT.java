package dpserve.it;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Whole replies of {@code /generate} through all processes, against the text the model must give. */
class GenerateIT {
    private static final String PROMPT = "Grüße aus 東京 🚄: one two three";
    private static final int LENGTH = 200;

    private static Topology topology;
    private static Api api;

    @BeforeAll
    static void start() {
        topology = Topology.start("--dp-size", "2", "--time-scale", "0");
        api = topology.api();
    }

    @AfterAll
    static void stop() {
        topology.close();
    }

    private static Map<String, Object> request(Object... more) {
        Map<String, Object> body = new HashMap<>();
        body.put("text", PROMPT);
        for (int i = 0; i < more.length; i += 2) {
            body.put((String) more[i], more[i + 1]);
        }
        body.putIfAbsent("sampling_params", Map.of("max_new_tokens", LENGTH, "ignore_eos", true));
        return body;
    }

    private static Expected.Output expected() {
        return Expected.full(Expected.encode(PROMPT), LENGTH);
    }

    @Test
    void shouldReplyWithTheExpectedText() {
        Api.Reply reply = api.post("/generate", request());
        assertThat(reply.status()).as(reply.body()).isEqualTo(200);
        JsonNode meta = reply.json().get("meta_info");
        assertThat(reply.json().get("text").asText()).isEqualTo(expected().text());
        assertThat(Expected.ids(reply.json().get("output_ids")))
                .isEqualTo(expected().ids());
        assertThat(meta.get("prompt_tokens").asInt()).isEqualTo(Expected.encode(PROMPT).length);
        assertThat(meta.get("completion_tokens").asInt()).isEqualTo(LENGTH);
        assertThat(meta.get("finish_reason").get("type").asText()).isEqualTo("length");
        assertThat(meta.get("dp_rank").asInt()).isBetween(0, 1);
    }

    @Test
    void shouldStreamTheExpectedText() {
        try (Api.Events events = api.stream("/generate", request("stream", true))) {
            List<JsonNode> all = events.all();
            String before = "";
            for (JsonNode event : all) {
                String text = event.get("text").asText();
                assertThat(text).as("cumulative text").startsWith(before).doesNotContain("\uFFFD");
                before = text;
            }
            assertThat(before).isEqualTo(expected().text());
            assertThat(all.size()).as("events").isGreaterThan(1);
        }
    }

    @Test
    void shouldTakeTokenIds() {
        int[] ids = Expected.encode(PROMPT);
        Map<String, Object> body = Map.of("input_ids", ids, "sampling_params", Map.of("max_new_tokens", 20));
        Api.Reply reply = api.post("/generate", body);
        assertThat(reply.json().get("text").asText())
                .isEqualTo(Expected.of(ids, 20).text());
    }

    @Test
    void shouldEndAtEos() {
        int[] ids = promptWhoseOutputEnds();
        Expected.Output output = Expected.of(ids, 2000);
        Api.Reply reply =
                api.post("/generate", Map.of("input_ids", ids, "sampling_params", Map.of("max_new_tokens", 2000)));
        JsonNode finish = reply.json().get("meta_info").get("finish_reason");
        assertThat(finish.get("type").asText()).isEqualTo("stop");
        assertThat(finish.get("matched").asInt()).isEqualTo(output.ids()[output.ids().length - 1]);
        assertThat(reply.json().get("text").asText()).isEqualTo(output.text());
    }

    private static int[] promptWhoseOutputEnds() {
        for (int i = 1; ; i++) {
            int[] ids = {i, i + 1};
            if (Expected.of(ids, 1000).finish().equals("stop")) {
                return ids;
            }
        }
    }

    @Test
    void shouldStopBeforeAStopString() {
        String text = expected().text();
        String stop = text.substring(text.length() / 2, text.length() / 2 + 7);
        Map<String, Object> body =
                request("sampling_params", Map.of("max_new_tokens", LENGTH, "ignore_eos", true, "stop", stop));
        JsonNode reply = api.post("/generate", body).json();
        assertThat(reply.get("text").asText()).isEqualTo(text.substring(0, text.indexOf(stop)));
        assertThat(reply.get("meta_info").get("finish_reason").get("matched").asText())
                .isEqualTo(stop);
    }

    @Test
    void shouldStopAtAStopTokenId() {
        int[] ids = expected().ids();
        int stop = ids[30];
        int first = 0;
        while (ids[first] != stop) {
            first++;
        }
        Map<String, Object> body = request(
                "sampling_params",
                Map.of("max_new_tokens", LENGTH, "ignore_eos", true, "stop_token_ids", List.of(stop)));
        JsonNode meta = api.post("/generate", body).json().get("meta_info");
        assertThat(meta.get("completion_tokens").asInt()).isEqualTo(first + 1);
        assertThat(meta.get("finish_reason").get("matched").asInt()).isEqualTo(stop);
    }

    @Test
    void shouldReplyToABatchInOrder() {
        List<String> prompts = List.of("first", "the second", "and a third one");
        Map<String, Object> body = request("text", prompts);
        JsonNode replies = api.post("/generate", body).json();
        assertThat(replies.size()).isEqualTo(prompts.size());
        for (int i = 0; i < prompts.size(); i++) {
            assertThat(replies.get(i).get("text").asText())
                    .isEqualTo(Expected.full(Expected.encode(prompts.get(i)), LENGTH)
                            .text());
        }
    }

    @Test
    void shouldStreamABatchWithIndexes() {
        List<String> prompts = List.of("first", "the second");
        try (Api.Events events = api.stream("/generate", request("text", prompts, "stream", true))) {
            Map<Integer, String> last = new HashMap<>();
            events.all()
                    .forEach(e -> last.put(e.get("index").asInt(), e.get("text").asText()));
            for (int i = 0; i < prompts.size(); i++) {
                assertThat(last.get(i))
                        .isEqualTo(Expected.full(Expected.encode(prompts.get(i)), LENGTH)
                                .text());
            }
        }
    }

    @Test
    void shouldGiveNOutputsOfOnePrompt() {
        Map<String, Object> body =
                request("sampling_params", Map.of("max_new_tokens", LENGTH, "ignore_eos", true, "n", 3));
        JsonNode replies = api.post("/generate", body).json();
        List<String> texts = new ArrayList<>();
        replies.forEach(r -> texts.add(r.get("text").asText()));
        assertThat(texts).hasSize(3).containsOnly(expected().text());
    }

    @Test
    void shouldGoToTheRankAskedFor() {
        for (int rank = 0; rank < 2; rank++) {
            JsonNode reply =
                    api.post("/generate", request("routed_dp_rank", rank)).json();
            assertThat(reply.get("meta_info").get("dp_rank").asInt()).isEqualTo(rank);
        }
    }
}
