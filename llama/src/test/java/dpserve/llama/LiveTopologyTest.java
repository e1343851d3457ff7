package dpserve.llama;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dpserve.io.model.ChatTurn;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

/**
 * A running topology of two ranks with the same model, which scripts/dev/test-llama.sh starts: its replies against those of
 * the plain library in this process.
 */
class LiveTopologyTest {
    private static final String URL = System.getenv("DPSERVE_TEST_URL");

    private static final int TOKENS = 48;
    private static final int ALL_RANKS = 2;
    private static final ObjectMapper JSON = new ObjectMapper();

    private static final List<String> QUESTIONS = List.of(
            "What is the capital of France?",
            "Write a haiku about the sea.",
            "Name three colours.",
            "Explain gravity to a child.",
            "What is 12 times 12?",
            "Tell me a joke.",
            "Who wrote Hamlet?",
            "How do I boil an egg?");

    private final HttpClient client = HttpClient.newHttpClient();

    private static int[] prompt(String question) {
        return TestModel.model().vocabulary().encodeChat(List.of(new ChatTurn("user", question)));
    }

    private static HttpRequest post(String path, String body) {
        return HttpRequest.newBuilder(URI.create(URL + path))
                .header("Content-Type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofString(body))
                .build();
    }

    private static void requireServer() {
        if (URL == null) {
            TestModel.print("skipped, DPSERVE_TEST_URL is not set; scripts/dev/test-llama.sh starts a topology");
        }
        assumeTrue(URL != null, "DPSERVE_TEST_URL is not set");
    }

    private static JsonNode tree(String text) {
        try {
            return JSON.readTree(text);
        } catch (java.io.IOException e) {
            throw new AssertionError(text, e);
        }
    }

    @Test
    void shouldStreamAChatThroughEachRankAsThePlainLibraryHasIt() throws Exception {
        requireServer();
        PlainLlama plain = new PlainLlama(TestModel.model());
        for (int rank = 0; rank < ALL_RANKS; rank++) {
            String question = QUESTIONS.get(rank);
            String body = "{\"model\": \"m\", \"stream\": true, \"temperature\": 0, \"max_tokens\": " + TOKENS
                    + ", \"routed_dp_rank\": " + rank + ", \"messages\": [{\"role\": \"user\", \"content\": \""
                    + question
                    + "\"}]}";
            List<String> lines = client.send(post("/v1/chat/completions", body), BodyHandlers.ofLines())
                    .body()
                    .filter(l -> l.startsWith("data: "))
                    .map(l -> l.substring("data: ".length()))
                    .toList();
            StringBuilder text = new StringBuilder();
            int chunks = 0;
            for (String line : lines.subList(0, lines.size() - 1)) {
                String piece = tree(line).at("/choices/0/delta/content").asText("");
                text.append(piece);
                chunks += piece.isEmpty() ? 0 : 1;
            }
            int[] output = plain.generate(prompt(question), TOKENS);

            assertThat(lines.get(lines.size() - 1)).isEqualTo("[DONE]");
            assertThat(chunks).isGreaterThan(2);
            assertThat(text.toString()).isEqualTo(withoutEnd(output));
            TestModel.print("chat on rank " + rank + ", " + chunks + " chunks, as the plain library: " + text);
        }
    }

    @Test
    void shouldGiveEightRequestsOnOneRankTheTextThatEachHasAlone() throws Exception {
        requireServer();
        PlainLlama plain = new PlainLlama(TestModel.model());
        // Twice: the second time the rank has most of each prompt in its cache.
        for (int round = 0; round < 2; round++) {
            List<CompletableFuture<HttpResponse<String>>> running = new ArrayList<>();
            for (String question : QUESTIONS) {
                String body = "{\"model\": \"m\", \"temperature\": 0, \"max_tokens\": " + TOKENS
                        + ", \"routed_dp_rank\": 0, \"messages\": [{\"role\": \"user\", \"content\": \"" + question
                        + "\"}]}";
                running.add(client.sendAsync(post("/v1/chat/completions", body), BodyHandlers.ofString()));
            }
            for (int i = 0; i < QUESTIONS.size(); i++) {
                String text = tree(running.get(i).join().body())
                        .at("/choices/0/message/content")
                        .asText();
                assertThat(text)
                        .as(QUESTIONS.get(i))
                        .isEqualTo(withoutEnd(plain.generate(prompt(QUESTIONS.get(i)), TOKENS)));
            }
        }
        TestModel.print(
                QUESTIONS.size() + " requests at once on one rank, twice: each as the plain library has it alone");
    }

    private static String withoutEnd(int[] output) {
        LlamaVocabulary vocabulary = TestModel.model().vocabulary();
        int length = output.length;
        return vocabulary.text(Arrays.copyOf(
                output, length > 0 && vocabulary.isEndOfGeneration(output[length - 1]) ? length - 1 : length));
    }

    @Test
    void shouldGiveLogprobsOfAChat() throws Exception {
        requireServer();
        String body =
                "{\"model\": \"m\", \"temperature\": 0, \"max_tokens\": 8, \"logprobs\": true, \"top_logprobs\": 3,"
                        + " \"messages\": [{\"role\": \"user\", \"content\": \"" + QUESTIONS.get(0) + "\"}]}";
        JsonNode choice = tree(client.send(post("/v1/chat/completions", body), BodyHandlers.ofString())
                        .body())
                .at("/choices/0");
        StringBuilder text = new StringBuilder();
        for (JsonNode token : choice.at("/logprobs/content")) {
            assertThat(token.get("top_logprobs")).hasSize(3);
            assertThat(token.get("logprob").asDouble()).isLessThanOrEqualTo(0);
            assertThat(token.at("/top_logprobs/0/token")).isEqualTo(token.get("token"));
            text.append(token.get("token").asText());
        }

        assertThat(text.toString()).startsWith(choice.at("/message/content").asText());
        assertThat(choice.at("/message/content").asText()).contains("Paris");
    }
}
