package dpserve.bench.client;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dpserve.bench.BenchConfig;
import dpserve.bench.dataset.DatasetRow;
import dpserve.bench.dataset.Prompt;
import dpserve.bench.dataset.PromptTokens;
import dpserve.bench.dataset.TokenRun;
import dpserve.tokenizer.JtokkitVocabulary;
import java.io.IOException;
import org.junit.jupiter.api.Test;

class RequestBodiesTest {
    private static final PromptTokens TOKENS = new PromptTokens(new JtokkitVocabulary());
    private static final DatasetRow ROW = new DatasetRow(new Prompt.Tokens(new TokenRun.Words(5, 12)), 12, 30);

    private static RequestBodies bodies(String... flags) {
        BenchConfig config = BenchConfig.parse(flags);
        return new RequestBodies(config.api(), "m", TOKENS, config.request);
    }

    private static JsonNode json(byte[] body) throws IOException {
        return new ObjectMapper().readTree(body);
    }

    @Test
    void shouldSendWhatUpstreamSendsToGenerate() throws IOException {
        JsonNode text = json(bodies("--dataset-name=random", "--top-p=0.9").body(ROW));
        JsonNode ids = json(bodies("--dataset-name=random", "--tokenize-prompt", "--disable-stream")
                .body(ROW));

        assertThat(text.path("sampling_params").toString())
                .isEqualTo("{\"temperature\":0.0,\"max_new_tokens\":30,\"ignore_eos\":true,\"top_p\":0.9}");
        assertThat(text.path("stream").asBoolean()).isTrue();
        assertThat(TOKENS.encode(text.path("text").asText())).hasSize(12);
        assertThat(ids.path("input_ids").size()).isEqualTo(12);
        assertThat(ids.has("text")).isFalse();
        assertThat(ids.path("stream").asBoolean()).isFalse();
    }

    @Test
    void shouldSendWhatUpstreamSendsToTheOpenAiApis() throws IOException {
        JsonNode completion =
                json(bodies("--dataset-name=random", "--backend=sglang-oai").body(ROW));
        JsonNode chat = json(bodies("--dataset-name=random", "--backend=sglang-oai-chat", "--disable-ignore-eos")
                .body(ROW));

        assertThat(completion.path("model").asText()).isEqualTo("m");
        assertThat(completion.path("max_tokens").asInt()).isEqualTo(30);
        assertThat(completion.path("ignore_eos").asBoolean()).isTrue();
        assertThat(completion.path("stream_options").path("include_usage").asBoolean())
                .isTrue();
        assertThat(chat.path("max_completion_tokens").asInt()).isEqualTo(30);
        assertThat(chat.path("ignore_eos").asBoolean()).isFalse();
        assertThat(chat.path("messages").path(0).path("role").asText()).isEqualTo("user");
        assertThat(chat.path("messages").path(0).path("content").asText())
                .isEqualTo(completion.path("prompt").asText());
    }

    @Test
    void shouldLetTheExtraBodyWin() throws IOException {
        RequestBodies bodies = bodies(
                "--dataset-name=random",
                "--extra-request-body={\"sampling_params\":{\"min_new_tokens\":3},\"routed_dp_rank\":1}");

        assertThat(json(bodies.body(ROW)).path("routed_dp_rank").asInt()).isEqualTo(1);
        assertThat(json(bodies.body(ROW)).path("sampling_params").toString()).isEqualTo("{\"min_new_tokens\":3}");
    }
}
