package dpserve.tokenizer.http;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dpserve.io.model.NextToken;
import dpserve.tokenizer.JtokkitVocabulary;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;

class LogprobsJsonTest {
    private static final JtokkitVocabulary VOCABULARY = new JtokkitVocabulary();
    private static final int HELLO = VOCABULARY.encode("Hello")[0];
    private static final int THERE = VOCABULARY.encode(" there")[0];

    private final LogprobsJson json = new LogprobsJson(VOCABULARY);
    private final List<NextToken> tokens = List.of(
            new NextToken(HELLO, -0.5, new int[] {HELLO, THERE}, new double[] {-0.5, -1.5}),
            new NextToken(THERE, -0.25, new int[] {THERE, HELLO}, new double[] {-0.25, -3}));

    private static JsonNode object(GenerateReply.Writing fields) throws Exception {
        byte[] text = GenerateReply.write(g -> {
            g.writeStartObject();
            fields.to(g);
            g.writeEndObject();
        });
        return new ObjectMapper().readTree(new String(text, StandardCharsets.UTF_8));
    }

    @Test
    void shouldShowSglangsTriples() throws Exception {
        JsonNode meta = object(g -> json.sglang(g, tokens, 2, true));

        assertThat(meta.get("output_token_logprobs").get(1)).hasToString("[-0.25," + THERE + ",\" there\"]");
        assertThat(meta.get("output_top_logprobs").get(0).get(1)).hasToString("[-1.5," + THERE + ",\" there\"]");
        JsonNode plain = object(g -> json.sglang(g, tokens, 0, false));
        assertThat(plain.get("output_token_logprobs").get(0)).hasToString("[-0.5," + HELLO + ",null]");
        assertThat(plain.has("output_top_logprobs")).isFalse();
    }

    @Test
    void shouldShowAChatsTokensWithTheirBytes() throws Exception {
        JsonNode content = object(g -> json.chat(g, tokens)).get("logprobs").get("content");

        assertThat(content).hasSize(2);
        assertThat(content.get(0).get("token").asText()).isEqualTo("Hello");
        assertThat(content.get(0).get("logprob").asDouble()).isEqualTo(-0.5);
        assertThat(content.get(0).get("bytes")).hasToString("[72,101,108,108,111]");
        assertThat(content.get(1).get("top_logprobs").get(1).get("logprob").asDouble())
                .isEqualTo(-3);
    }

    @Test
    void shouldCountACompletionsOffsetsFromTheRepliesBeginning() throws Exception {
        JsonNode later = object(g ->
                        assertThat(json.completion(g, 5, tokens.subList(1, 2))).isEqualTo(11))
                .get("logprobs");

        assertThat(later.get("tokens")).hasToString("[\" there\"]");
        assertThat(later.get("token_logprobs")).hasToString("[-0.25]");
        assertThat(later.get("text_offset")).hasToString("[5]");
        assertThat(later.get("top_logprobs").get(0).get("Hello").asDouble()).isEqualTo(-3);
    }
}
