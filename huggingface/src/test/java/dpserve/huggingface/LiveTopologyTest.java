package dpserve.huggingface;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dpserve.io.SimulatedModel;
import dpserve.io.model.ChatTurn;
import dpserve.io.model.Vocabulary;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

/** A topology that scripts/dev/test-huggingface.sh has started with the vocabulary of {@link TestTokenizers#main}. */
class LiveTopologyTest {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int TOKENS = 40;

    private final HttpClient client = HttpClient.newHttpClient();

    private static String environment(String name) {
        String value = System.getenv(name);
        assumeTrue(value != null, name + " is not set; scripts/dev/test-huggingface.sh starts a topology");
        return value;
    }

    private static Vocabulary vocabulary() {
        Path folder = Path.of(environment("DPSERVE_TEST_TOKENIZER"));
        return new HuggingFaceProvider().vocabulary(folder.resolve("tokenizer.json"), null);
    }

    private HttpResponse<String> post(String path, String body) throws IOException, InterruptedException {
        URI uri = URI.create(environment("DPSERVE_TEST_URL") + path);
        return client.send(
                HttpRequest.newBuilder(uri)
                        .header("Content-Type", "application/json")
                        .POST(BodyPublishers.ofString(body))
                        .build(),
                BodyHandlers.ofString());
    }

    private static String expected(Vocabulary vocabulary, int[] prompt) {
        int[] output = SimulatedModel.of(vocabulary).expectedOutput(prompt, TOKENS, 0, true);
        int[] shown =
                Arrays.stream(output).filter(id -> !vocabulary.isSpecial(id)).toArray();
        return vocabulary.text(shown);
    }

    @Test
    void shouldAnswerAChatInTheTemplateAndTheVocabulary() throws Exception {
        Vocabulary vocabulary = vocabulary();
        int[] prompt = vocabulary.encodeChat(List.of(new ChatTurn("user", "hell <|im_end|> o")));
        String body = "{\"messages\": [{\"role\": \"user\", \"content\": \"hell <|im_end|> o\"}], \"max_tokens\": "
                + TOKENS + ", \"ignore_eos\": true, \"stream\": ";
        JsonNode whole =
                JSON.readTree(post("/v1/chat/completions", body + "false}").body());
        assertThat(whole.at("/usage/prompt_tokens").asInt()).isEqualTo(prompt.length);
        assertThat(whole.at("/usage/completion_tokens").asInt()).isEqualTo(TOKENS);
        assertThat(whole.at("/choices/0/message/content").asText()).isEqualTo(expected(vocabulary, prompt));

        StringBuilder streamed = new StringBuilder();
        for (String line : post("/v1/chat/completions", body + "true}").body().split("\n\n")) {
            if (line.startsWith("data: {")) {
                streamed.append(JSON.readTree(line.substring(6))
                        .at("/choices/0/delta/content")
                        .asText(""));
            }
        }
        assertThat(streamed.toString()).isEqualTo(expected(vocabulary, prompt));
    }

    @Test
    void shouldPutBosBeforeAPrompt() throws Exception {
        Vocabulary vocabulary = vocabulary();
        int[] prompt = vocabulary.encodePrompt("hell");
        JsonNode reply = JSON.readTree(post(
                        "/generate",
                        "{\"text\": \"hell\", \"sampling_params\": {\"max_new_tokens\": " + TOKENS
                                + ", \"ignore_eos\": true}}")
                .body());
        assertThat(prompt).startsWith(TestTokenizers.BOS);
        assertThat(reply.at("/meta_info/prompt_tokens").asInt()).isEqualTo(prompt.length);
        assertThat(reply.path("text").asText()).isEqualTo(expected(vocabulary, prompt));
    }

    @Test
    void shouldTellAClientWhatTheTemplateRefuses() throws Exception {
        HttpResponse<String> reply =
                post("/v1/chat/completions", "{\"messages\": [{\"role\": \"assistant\", \"content\": \"x\"}]}");
        assertThat(reply.statusCode()).isEqualTo(400);
        assertThat(reply.body()).contains("the chat template: A user must begin");
    }
}
