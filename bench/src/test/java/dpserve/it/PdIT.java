package dpserve.it;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** A prefill server, a decode server and the router: every reply is whole whatever dies, and nothing is left in either pool. */
class PdIT {
    private static final int STREAMS = Integer.getInteger("pd.streams", 60);
    private static final int LENGTH = 100;

    /** A prompt of some tokens takes about a second: kills find transfers under way. */
    private static final String SLOW_LINK = "--kv-transfer-gbps=0.05";

    @Test
    void shouldServeThroughBothHalves() throws Exception {
        try (PdTopology pd = PdTopology.start("--dp-size", "2", "--incremental-streaming-output")) {
            try (Streams streams = new Streams(pd.api(), STREAMS, LENGTH)) {
                assertWhole(streams);
            }
            Map<String, Object> body = Map.of(
                    "model", "m", "prompt", List.of("first", "second"), "n", 2, "max_tokens", 7, "temperature", 0);
            JsonNode choices = pd.api().post("/v1/completions", body).json().get("choices");
            assertThat(choices).hasSize(4);
            assertThat(choices.get(0).get("text").asText())
                    .isEqualTo(Expected.of(Expected.encode("first"), 7).text());
            assertThat(pd.api()
                            .post("/generate", Map.of("text", "x", "sampling_params", "wrong"))
                            .status())
                    .isEqualTo(400);
            assertThat(pd.api().get("/health").status()).isEqualTo(200);
            pd.awaitEmpty();
        }
    }

    @Test
    void shouldLoseNothingWithAPrefillRankOrADecodeRank() throws Exception {
        try (PdTopology pd = PdTopology.start(
                "--dp-size", "2", "--incremental-streaming-output", "--restart", "--prefill-kv-transfer-gbps=0.05")) {
            for (String half : List.of("prefill", "decode")) {
                CompletableFuture<Void> kill = pd.killWhileTransferring(half, 1);
                try (Streams streams = new Streams(pd.api(), STREAMS, LENGTH)) {
                    kill.join();
                    assertWhole(streams);
                }
                await().atMost(PdTopology.BACK)
                        .until(() -> pd.api().get("/health").status() == 200);
                pd.awaitEmpty();
            }
            assertThat(pd.retries()).as("attempts after the first").isPositive();
        }
    }

    @Test
    void shouldGoOnWithAChatBehindWhatTheClientHas() throws Exception {
        try (PdTopology pd = PdTopology.start("--dp-size", "2", "--restart", SLOW_LINK)) {
            List<CompletableFuture<String>> before = chats(pd);
            List<String> expected = before.stream().map(CompletableFuture::join).toList();
            List<CompletableFuture<String>> chats = chats(pd);
            await().until(() -> pd.sum("decode", "running") > 0);
            pd.kill("decode", 0);
            assertThat(chats.stream().map(CompletableFuture::join).toList()).isEqualTo(expected);
            pd.awaitEmpty();
        }
    }

    private static List<CompletableFuture<String>> chats(PdTopology pd) {
        return IntStream.range(0, 10)
                .mapToObj(i -> CompletableFuture.supplyAsync(() -> chat(pd, i)))
                .toList();
    }

    /** The text, which must come under one id, with one role and the usage of the whole. */
    private static String chat(PdTopology pd, int i) {
        Map<String, Object> body = Map.of(
                "model",
                "m",
                "stream",
                true,
                "stream_options",
                Map.of("include_usage", true),
                "ignore_eos",
                true,
                "max_tokens",
                LENGTH,
                "messages",
                List.of(Map.of("role", "user", "content", "chat number " + i)));
        StringBuilder text = new StringBuilder();
        List<String> ids = new ArrayList<>();
        int roles = 0;
        int usage = 0;
        try (Api.Events events = pd.api().stream("/v1/chat/completions", body)) {
            for (JsonNode event = events.next(); event != null; event = events.next()) {
                ids.add(event.path("id").asText());
                usage = event.path("usage").path("completion_tokens").asInt();
                for (JsonNode choice : event.path("choices")) {
                    roles += choice.path("delta").has("role") ? 1 : 0;
                    text.append(choice.path("delta").path("content").asText(""));
                    assertThat(choice.has("token_ids")).isFalse();
                }
            }
        }
        assertThat(ids.stream().distinct()).hasSize(1);
        assertThat(roles).isEqualTo(1);
        assertThat(usage).isEqualTo(LENGTH);
        return text.toString();
    }

    private static void assertWhole(Streams streams) throws Exception {
        List<Streams.Outcome> outcomes = streams.outcomes();
        for (int i = 0; i < outcomes.size(); i++) {
            assertThat(streams.isWhole(i, outcomes.get(i)))
                    .as(
                            "stream %d: %s, %s",
                            i, outcomes.get(i).error(), outcomes.get(i).text())
                    .isTrue();
        }
    }
}
