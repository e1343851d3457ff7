package dpserve.it;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dpserve.io.model.ChatTurn;
import dpserve.tokenizer.ChatTemplate;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Whole replies of the OpenAI-compatible paths, against the text the model must give. */
class OpenAiIT {
    private static final String PROMPT = "Once upon a time in 東京";
    private static final int LENGTH = 60;
    private static final List<Map<String, String>> MESSAGES = List.of(
            Map.of("role", "system", "content", "You are brief."), Map.of("role", "user", "content", "Grüß Gott!"));

    private static Topology topology;
    private static Api api;

    @BeforeAll
    static void start() {
        topology = Topology.start("--time-scale", "0");
        api = topology.api();
    }

    @AfterAll
    static void stop() {
        topology.close();
    }

    private static Expected.Output expectedCompletion() {
        return Expected.of(Expected.encode(PROMPT), LENGTH);
    }

    private static int[] chatPrompt() {
        return Expected.encode(ChatTemplate.render(MESSAGES.stream()
                .map(m -> new ChatTurn(m.get("role"), m.get("content")))
                .toList()));
    }

    private static Map<String, Object> completion(boolean stream) {
        return Map.of("model", "simulated", "prompt", PROMPT, "max_tokens", LENGTH, "stream", stream);
    }

    private static Map<String, Object> chat(boolean stream) {
        return Map.of(
                "model",
                "simulated",
                "messages",
                MESSAGES,
                "max_tokens",
                LENGTH,
                "stream",
                stream,
                "stream_options",
                Map.of("include_usage", true));
    }

    @Test
    void shouldComplete() {
        JsonNode reply = api.post("/v1/completions", completion(false)).json();
        JsonNode choice = reply.get("choices").get(0);
        assertThat(reply.get("object").asText()).isEqualTo("text_completion");
        assertThat(choice.get("text").asText()).isEqualTo(expectedCompletion().text());
        assertThat(choice.get("finish_reason").asText())
                .isEqualTo(expectedCompletion().finish());
        assertThat(reply.get("usage").get("completion_tokens").asInt())
                .isEqualTo(expectedCompletion().ids().length);
    }

    @Test
    void shouldStreamACompletionInPieces() {
        try (Api.Events events = api.stream("/v1/completions", completion(true))) {
            StringBuilder text = new StringBuilder();
            events.all()
                    .forEach(e -> e.get("choices")
                            .forEach(c -> text.append(c.get("text").asText())));
            assertThat(text).hasToString(expectedCompletion().text());
        }
    }

    @Test
    void shouldChat() {
        JsonNode reply = api.post(
                        "/v1/chat/completions",
                        Map.of("model", "simulated", "messages", MESSAGES, "max_tokens", LENGTH))
                .json();
        JsonNode message = reply.get("choices").get(0).get("message");
        assertThat(reply.get("object").asText()).isEqualTo("chat.completion");
        assertThat(message.get("role").asText()).isEqualTo("assistant");
        assertThat(message.get("content").asText())
                .isEqualTo(Expected.of(chatPrompt(), LENGTH).text());
        assertThat(reply.get("usage").get("prompt_tokens").asInt()).isEqualTo(chatPrompt().length);
    }

    @Test
    void shouldStreamAChatInPiecesWithItsUsageLast() {
        Expected.Output expected = Expected.of(chatPrompt(), LENGTH);
        try (Api.Events events = api.stream("/v1/chat/completions", chat(true))) {
            List<JsonNode> all = events.all();
            StringBuilder text = new StringBuilder();
            String finish = null;
            for (JsonNode event : all) {
                assertThat(event.get("object").asText()).isEqualTo("chat.completion.chunk");
                for (JsonNode choice : event.get("choices")) {
                    text.append(choice.get("delta").path("content").asText(""));
                    finish = choice.get("finish_reason").asText(finish);
                }
            }
            assertThat(text).hasToString(expected.text());
            assertThat(finish).isEqualTo(expected.finish());
            JsonNode last = all.get(all.size() - 1);
            assertThat(last.get("choices")).isEmpty();
            assertThat(last.get("usage").get("completion_tokens").asInt()).isEqualTo(expected.ids().length);
        }
    }

    @Test
    void shouldGiveNChoices() {
        JsonNode choices = api.post(
                        "/v1/completions", Map.of("model", "simulated", "prompt", PROMPT, "max_tokens", LENGTH, "n", 2))
                .json()
                .get("choices");
        assertThat(choices).hasSize(2);
        for (int i = 0; i < 2; i++) {
            assertThat(choices.get(i).get("index").asInt()).isEqualTo(i);
            assertThat(choices.get(i).get("text").asText())
                    .isEqualTo(expectedCompletion().text());
        }
    }

    @Test
    void shouldStopAtTheFirstOfSeveralStopStrings() {
        String text = expectedCompletion().text();
        String early = text.substring(10, 14);
        String late = text.substring(30, 36);
        JsonNode choice = api.post(
                        "/v1/completions",
                        Map.of(
                                "model",
                                "simulated",
                                "prompt",
                                PROMPT,
                                "max_tokens",
                                LENGTH,
                                "stop",
                                List.of(late, early)))
                .json()
                .get("choices")
                .get(0);
        int end = Math.min(text.indexOf(early), text.indexOf(late));
        assertThat(choice.get("text").asText()).isEqualTo(text.substring(0, end));
        assertThat(choice.get("finish_reason").asText()).isEqualTo("stop");
    }
}
