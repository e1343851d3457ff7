package dpserve.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dpserve.io.message.TokenizedGenerateReqInput;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Requests for log probabilities, where the ranks give them. */
class LogprobRequestsTest {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final JtokkitVocabulary VOCABULARY = new JtokkitVocabulary();

    private final PromptLimits limits = new PromptLimits(1000, () -> 1, true);
    private final GenerateParser generate = new GenerateParser(VOCABULARY, limits, () -> "r");
    private final OpenAiParser openAi = new OpenAiParser(VOCABULARY, limits, () -> "r");

    private static JsonNode json(String text) throws Exception {
        return JSON.readTree(text.replace('\'', '"'));
    }

    private static SequenceSpec only(GenerateRequest request) {
        assertThat(request.sequences()).hasSize(1);
        return request.sequences().get(0);
    }

    private SequenceSpec chat(String fields) throws Exception {
        JsonNode body = json("{'messages': [{'role': 'user', 'content': 'x'}], " + fields + "}");
        return only(openAi.parseChat(body, "m").generate());
    }

    private SequenceSpec completion(String fields) throws Exception {
        return only(openAi.parseCompletion(json("{'prompt': 'x', " + fields + "}"), "m")
                .generate());
    }

    private SequenceSpec generate(String fields) throws Exception {
        return only(generate.parse(json("{'text': 'x', " + fields + "}")));
    }

    @Test
    void shouldReadWhatEachApiCallsThem() throws Exception {
        assertThat(chat("'logprobs': true, 'top_logprobs': 3").logprobs())
                .isEqualTo(new SequenceSpec.Logprobs(3, true));
        assertThat(chat("'logprobs': false").logprobs()).isNull();
        assertThat(completion("'logprobs': 0").logprobs()).isEqualTo(new SequenceSpec.Logprobs(0, true));
        assertThat(completion("'logprobs': null").logprobs()).isNull();
        assertThat(generate("'return_logprob': true, 'top_logprobs_num': 2").logprobs())
                .isEqualTo(new SequenceSpec.Logprobs(2, false));
        assertThat(generate("'return_logprob': [false]").logprobs()).isNull();
    }

    @Test
    void shouldAskTheRankForThem() throws Exception {
        TokenizedGenerateReqInput wanted =
                generate("'return_logprob': true, 'top_logprobs_num': 2").toMessage("w", "tcp://127.0.0.1:1");
        TokenizedGenerateReqInput plain = generate("'stream': true").toMessage("w", "tcp://127.0.0.1:1");

        assertThat(wanted.returnLogprob()).isTrue();
        assertThat(wanted.topLogprobsNum()).isEqualTo(2);
        assertThat(wanted.logprobStartLen()).isEqualTo(-1);
        assertThat(plain.returnLogprob()).isFalse();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "chat|'logprobs': true, 'top_logprobs': 21|top_logprobs must be 0 to 20, got 21",
                "chat|'top_logprobs': 2|top_logprobs needs logprobs: true",
                "completion|'logprobs': -1|logprobs must be 0 to 20",
                "completion|'logprobs': 1, 'echo': true|echoed prompt",
                "generate|'return_logprob': true, 'logprob_start_len': 0|logprob_start_len must be -1",
                "generate|'return_logprob': true, 'top_logprobs_num': 50|top_logprobs_num must be 0 to 20",
                "generate|'return_logprob': [true]|return_logprob is not supported"
            })
    void shouldNameWhatIsWrong(String api, String fields, String message) {
        assertThatThrownBy(() -> {
                    switch (api) {
                        case "chat" -> chat(fields);
                        case "completion" -> completion(fields);
                        default -> generate(fields);
                    }
                })
                .isInstanceOf(BadRequest.class)
                .hasMessageContaining(message);
    }
}
