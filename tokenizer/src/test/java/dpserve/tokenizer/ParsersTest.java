package dpserve.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dpserve.io.message.FinishReason;
import dpserve.io.message.SamplingParams;
import dpserve.tokenizer.OpenAiParser.OpenAiRequest;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ParsersTest {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final JtokkitVocabulary VOCABULARY = new JtokkitVocabulary();

    private final AtomicInteger next = new AtomicInteger();
    private final PromptLimits limits = new PromptLimits(1000, () -> 4);
    private final GenerateParser generate =
            new GenerateParser(VOCABULARY, limits, () -> "made-" + next.getAndIncrement());
    private final OpenAiParser openAi = new OpenAiParser(VOCABULARY, limits, () -> "made-" + next.getAndIncrement());

    private static JsonNode json(String text) throws Exception {
        return JSON.readTree(text.replace('\'', '"'));
    }

    private GenerateRequest parse(String body) throws Exception {
        return generate.parse(json(body));
    }

    @Test
    void shouldReadASingleText() throws Exception {
        GenerateRequest request = parse("{'text': 'Hello there', 'sampling_params': {'max_new_tokens': 7}}");
        assertThat(request.batch()).isFalse();
        assertThat(request.stream()).isFalse();
        SequenceSpec spec = request.sequences().get(0);
        assertThat(spec.inputIds()).isEqualTo(VOCABULARY.encode("Hello there"));
        assertThat(spec.samplingParams().maxNewTokens()).isEqualTo(7);
        assertThat(spec.userRid()).isEqualTo("made-0");
    }

    @Test
    void shouldReadWhatAnotherServerMade() throws Exception {
        SequenceSpec one = parse("{'text': 'x', 'resume': {'output_ids': [5, 6], 'text': 'ab'}}")
                .sequences()
                .get(0);
        assertThat(one.resume().outputIds()).containsExactly(5, 6);
        assertThat(one.resume().text()).isEqualTo("ab");
        GenerateRequest two = parse("{'text': ['x', 'y'], 'resume': [null, {'output_ids': [5]}]}");
        assertThat(two.sequences().get(0).resume()).isNull();
        assertThat(two.sequences().get(1).resume().text()).isEmpty();
        assertThat(parse(
                                "{'text': 'x', 'resume': {'output_ids': [5], 'finish_reason': {'type': 'stop', 'matched': '.'}}}")
                        .sequences()
                        .get(0)
                        .resume()
                        .end())
                .isEqualTo(new FinishReason.StopString("."));
        assertThatThrownBy(() -> parse("{'text': 'x', 'resume': {'finish_reason': {'type': 'wrong'}}}"))
                .hasMessageContaining("resume.finish_reason.type");
        assertThatThrownBy(() -> parse("{'text': 'x', 'resume': [null, null]}"))
                .hasMessageContaining("resume has 2 entries");
        assertThatThrownBy(() -> parse("{'text': 'x', 'resume': {'output_ids': [-1]}}"))
                .hasMessageContaining("resume.output_ids");
        assertThatThrownBy(() -> parse("{'text': 'x', 'resume': 'y'}")).hasMessageContaining("resume");
    }

    @Test
    void shouldGiveEachSequenceARoomOfItsOwn() throws Exception {
        GenerateRequest request = parse("{'text': ['x', 'y'], 'bootstrap_room': 40, 'sampling_params': {'n': 2}}");
        assertThat(request.sequences())
                .extracting(spec -> spec.routing().bootstrapRoom())
                .containsExactly(40L, 41L, 42L, 43L);
    }

    @Test
    void shouldUseSglangsDefaults() throws Exception {
        SamplingParams params = parse("{'input_ids': [1]}").sequences().get(0).samplingParams();
        assertThat(params.maxNewTokens()).isEqualTo(128);
        assertThat(params.topK()).isEqualTo(SamplingParams.TOP_K_ALL);
        assertThat(params.temperature()).isEqualTo(1.0);
        assertThat(params.skipSpecialTokens()).isTrue();
        assertThat(params.stopStrs()).isEmpty();
    }

    @Test
    void shouldReadBatchesAndSamplesInOrder() throws Exception {
        GenerateRequest request =
                parse("{'input_ids': [[1, 2], [3]], 'rid': ['a', 'b'], 'stream': true, 'sampling_params': {'n': 2}}");
        assertThat(request.batch()).isTrue();
        assertThat(request.samples()).isEqualTo(2);
        assertThat(request.sequences()).extracting(SequenceSpec::userRid).containsExactly("a", "a", "b", "b");
        assertThat(request.sequences().get(3).inputIds()).containsExactly(3);
        assertThat(parse("{'text': ['x', 'y'], 'rid': 'r'}").sequences())
                .extracting(SequenceSpec::userRid)
                .containsExactly("r_0", "r_1");
        assertThat(parse("{'text': ['x', 'y'], 'sampling_params': [{'max_new_tokens': 1}, {'max_new_tokens': 2}]}")
                        .sequences())
                .extracting(s -> s.samplingParams().maxNewTokens())
                .containsExactly(1, 2);
        assertThat(parse("{'text': 'x', 'sampling_params': {'n': 3}}").batch()).isTrue();
    }

    @Test
    void shouldNormalizeAsSglangDoes() throws Exception {
        SamplingParams params = parse("{'text': 'x', 'sampling_params': {'temperature': 0, 'stop': ['END', '.'],"
                        + " 'stop_token_ids': [5], 'min_new_tokens': 2, 'ignore_eos': true}}")
                .sequences()
                .get(0)
                .samplingParams();
        assertThat(params.temperature()).isEqualTo(1.0);
        assertThat(params.topK()).isEqualTo(1);
        assertThat(params.stopStrs()).containsExactly("END", ".");
        assertThat(params.stopStrMaxLen()).isEqualTo(VOCABULARY.encode("END").length);
        assertThat(params.stopTokenIds()).containsExactly(5);
        assertThat(params.ignoreEos()).isTrue();
    }

    @Test
    void shouldHandOnTheWishesAboutTheRank() throws Exception {
        SequenceSpec.Routing routing = parse(
                        "{'text': 'x', 'data_parallel_rank': 2, 'routing_key': 's',"
                                + " 'bootstrap_host': 'h', 'bootstrap_port': 8998, 'bootstrap_room': 12345678901, 'priority': 3}")
                .sequences()
                .get(0)
                .routing();
        assertThat(routing).isEqualTo(new SequenceSpec.Routing(2, null, "s", 3, null, "h", 8998, 12345678901L));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "{}|Exactly one of text and input_ids",
                "[1]|JSON object",
                "{'text': 'x', 'input_ids': [1]}|Exactly one of text and input_ids",
                "{'text': 5}|text must be a string or a list of strings",
                "{'text': []}|1 to 4096 prompts",
                "{'text': ''}|at least one token",
                "{'input_ids': ['a']}|input_ids must be a list of integers",
                "{'input_ids': [100277]}|token id 100277",
                "{'input_ids': [-1]}|token id -1",
                "{'text': 'x', 'rid': ''}|rid must have 1 to 512 characters",
                "{'text': 'x', 'rid': 'a\\u001fb'}|U+001F",
                "{'text': 'x', 'rid': 'HEALTH_CHECK_1'}|HEALTH_CHECK",
                "{'text': ['x', 'y'], 'rid': ['a']}|rid has 1 entries",
                "{'text': 'x', 'routed_dp_rank': 4}|routed_dp_rank must be 0 to 3",
                "{'text': 'x', 'stream': 'yes'}|stream must be a boolean",
                "{'text': 'x', 'return_logprob': true}|return_logprob is not supported",
                "{'text': 'x', 'lora_path': 'p'}|lora_path is not supported",
                "{'text': 'x', 'sampling_params': {'regex': 'a'}}|sampling_params.regex is not supported",
                "{'text': 'x', 'sampling_params': {'top_p': 0}}|top_p must be in (0, 1]",
                "{'text': 'x', 'sampling_params': {'top_k': 0}}|top_k must be",
                "{'text': 'x', 'sampling_params': {'temperature': -1}}|temperature must be",
                "{'text': 'x', 'sampling_params': {'n': 0}}|n must be between",
                "{'text': 'x', 'sampling_params': {'n': 1000}}|n must be between",
                "{'text': 'x', 'sampling_params': {'min_new_tokens': 9, 'max_new_tokens': 8}}|min_new_tokens must be in",
                "{'text': 'x', 'sampling_params': {'stop': ['']}}|stop string",
                "{'text': 'x', 'sampling_params': {'stop_token_ids': [999999]}}|stop_token_ids",
                "{'text': 'x', 'sampling_params': {'frequency_penalty': 3}}|frequency_penalty",
                "{'text': 'x', 'sampling_params': {'max_new_tokens': 1000}}|maximum context length of 1000",
                "{'text': 'x', 'sampling_params': {'max_new_tokens': 1.5}}|max_new_tokens must be an integer",
                "{'text': 'x', 'sampling_params': {'logit_bias': {'q': 1}}}|logit_bias",
                "{'text': 'x', 'sampling_params': {'logit_bias': {'5': 1e400}}}|sampling_params.logit_bias.5 must be a finite",
                "{'text': 'x', 'sampling_params': {'temperature': 1e400}}|sampling_params.temperature must be a finite",
                "{'text': 'x', 'sampling_params': {'n': 0}}|n must be between 1 and 128, got 0.",
                "{'text': 'x', 'sampling_params': [{}, {}]}|sampling_params has 2 entries",
                "{'text': 'x', 'sampling_params': [5]}|sampling_params must be an object",
                "{'text': ['x', 'y'], 'sampling_params': [{'n': 1}, {'n': 2}]}|n must be the same",
                "{'text': 'x', 'sampling_params': {'stream_interval': 0}}|stream_interval must be at least 1",
                "{'text': 'x', 'sampling_params': {'stop': 5}}|sampling_params.stop must be a string or a list",
                "{'text': 'x', 'data_parallel_rank': 9}|data_parallel_rank must be 0 to 3",
                "{'text': 'x', 'bootstrap_room': 'r'}|bootstrap_room must be an integer",
                "{'text': 'x', 'image_data': ['u']}|image_data is not supported",
                "{'text': 'x', 'rid': '\\ud800'}|rid holds an unpaired surrogate",
                "{'text': 'a\\udc00b'}|text holds an unpaired surrogate",
                "{'text': 'x', 'sampling_params': {'stop': ['\\ud800']}}|sampling_params.stop holds an unpaired surrogate"
            })
    void shouldNameTheFieldAndTheLimit(String body, String message) {
        assertThatThrownBy(() -> parse(body)).isInstanceOf(BadRequest.class).hasMessageContaining(message);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "'return_logprob': false",
                "'return_logprob': [false, false]",
                "'lora_path': null",
                "'lora_path': ''",
                "'session_params': {}",
                "'logprob_start_len': -1, 'top_logprobs_num': 0"
            })
    void shouldAcceptFieldsThatAskForNothing(String fields) throws Exception {
        assertThat(parse("{'text': 'x', " + fields + "}").sequences()).hasSize(1);
    }

    @ParameterizedTest
    @ValueSource(strings = {"rid", "routing_key", "extra_key", "bootstrap_host"})
    void shouldBoundNamesThatOtherProcessesKeep(String field) throws Exception {
        assertThat(parse("{'text': 'x', '" + field + "': '" + "k".repeat(512) + "'}")
                        .sequences())
                .hasSize(1);
        assertThatThrownBy(() -> parse("{'text': 'x', '" + field + "': '" + "k".repeat(513) + "'}"))
                .isInstanceOf(BadRequest.class)
                .hasMessage(field + " must have 1 to 512 characters.");
    }

    @Test
    void shouldBoundStopTokenIds() {
        String ids = "1,".repeat(1024) + "1";
        assertThatThrownBy(() -> parse("{'text': 'x', 'sampling_params': {'stop_token_ids': [" + ids + "]}}"))
                .isInstanceOf(BadRequest.class)
                .hasMessageContaining("stop_token_ids may hold at most 1024");
    }

    /** {@code 'logit_bias': {'0': 1, '1': 1, ...}}. */
    private static String biases(int entries) {
        return "'logit_bias': {"
                + IntStream.range(0, entries).mapToObj(id -> "'" + id + "': 1").collect(Collectors.joining(", ")) + "}";
    }

    @Test
    void shouldBoundLogitBias() throws Exception {
        assertThat(parse("{'input_ids': [1], 'sampling_params': {" + biases(1024) + "}}")
                        .sequences()
                        .get(0)
                        .samplingParams()
                        .logitBias())
                .hasSize(1024);
        String message = "logit_bias may hold at most 1024 token ids, got 1025.";
        assertThatThrownBy(() -> parse("{'input_ids': [1], 'sampling_params': {" + biases(1025) + "}}"))
                .isInstanceOf(BadRequest.class)
                .hasMessage(message);
        assertThatThrownBy(() -> openAi.parseCompletion(json("{'prompt': [1], " + biases(1025) + "}"), "s"))
                .isInstanceOf(BadRequest.class)
                .hasMessage(message);
        assertThatThrownBy(() -> openAi.parseChat(
                        json("{'messages': [{'role': 'user', 'content': 'x'}], " + biases(1025) + "}"), "s"))
                .isInstanceOf(BadRequest.class)
                .hasMessage(message);
    }

    @Test
    void shouldBoundLogitBiasOfAllSequencesTogether() throws Exception {
        String two = "'sampling_params': {" + biases(1024) + ", 'n': 64}";
        assertThat(parse("{'input_ids': [[1], [2]], " + two + "}").sequences()).hasSize(128);
        String message =
                "logit_bias of all sequences of a request (prompts times n) may hold at most 131072 token ids.";
        assertThatThrownBy(() -> parse("{'input_ids': [[1], [2], [3]], " + two + "}"))
                .isInstanceOf(BadRequest.class)
                .hasMessage(message);
        assertThatThrownBy(() ->
                        openAi.parseCompletion(json("{'prompt': [[1], [2], [3]], 'n': 64, " + biases(1024) + "}"), "s"))
                .isInstanceOf(BadRequest.class)
                .hasMessage(message);
    }

    @Test
    void shouldBoundStopStringsOfAllSequencesTogether() throws Exception {
        String stops = "'stop': [" + String.join(", ", Collections.nCopies(32, "'" + "s".repeat(1024) + "'")) + "]";
        String two = "'sampling_params': {" + stops + ", 'n': 64}";
        assertThat(parse("{'input_ids': [[1], [2]], " + two + "}").sequences()).hasSize(128);
        String message = "stop of all sequences of a request (prompts times n) may hold at most 4194304 characters.";
        assertThatThrownBy(() -> parse("{'input_ids': [[1], [2], [3]], " + two + "}"))
                .isInstanceOf(BadRequest.class)
                .hasMessage(message);
        assertThatThrownBy(
                        () -> openAi.parseCompletion(json("{'prompt': [[1], [2], [3]], 'n': 64, " + stops + "}"), "s"))
                .hasMessageContaining("stop");
    }

    @Test
    void shouldTakeEachTokenIdOfLogitBiasOnce() throws Exception {
        assertThat(parse("{'text': 'x', 'sampling_params': {'logit_bias': {'007': 1, '+8': 2}}}")
                        .sequences()
                        .get(0)
                        .samplingParams()
                        .logitBias())
                .containsExactly(Map.entry("7", 1.0), Map.entry("8", 2.0));
        for (String other : List.of("07", "+7", "\u0667")) { // the last is an Arabic 7
            assertThatThrownBy(() ->
                            parse("{'text': 'x', 'sampling_params': {'logit_bias': {'7': 1, '" + other + "': 2}}}"))
                    .isInstanceOf(BadRequest.class)
                    .hasMessage("logit_bias holds token id 7 twice.");
        }
    }

    @Test
    void shouldBoundWhatOneRequestStarts() {
        String prompts = "[1],".repeat(99) + "[1]";
        assertThatThrownBy(() -> parse("{'input_ids': [" + prompts + "], 'sampling_params': {'n': 41}}"))
                .isInstanceOf(BadRequest.class)
                .hasMessageContaining("4100 sequences")
                .hasMessageContaining("4096");
    }

    @Test
    void shouldShortenADefaultThatDoesNotFitTheContext() throws Exception {
        String ids = "1,".repeat(989) + "1";
        assertThat(parse("{'input_ids': [" + ids + "]}")
                        .sequences()
                        .get(0)
                        .samplingParams()
                        .maxNewTokens())
                .isEqualTo(10);
        assertThat(parse("{'input_ids': [[1], [" + ids + "]], 'sampling_params': {'min_new_tokens': 2}}")
                        .sequences())
                .extracting(s -> s.samplingParams().maxNewTokens())
                .containsExactly(128, 10);
        assertThat(openAi.parseCompletion(json("{'prompt': [" + ids + "]}"), "s")
                        .generate()
                        .sequences()
                        .get(0)
                        .samplingParams()
                        .maxNewTokens())
                .isEqualTo(10);
    }

    @Test
    void shouldRefuseATextThatIsTooLongWithoutReadingItsTokens() {
        int chars = 1000 * JtokkitVocabulary.LONGEST_TOKEN_BYTES;
        assertThatThrownBy(() -> parse("{'text': '" + " ".repeat(chars + 1) + "'}"))
                .isInstanceOf(BadRequest.class)
                .hasMessageContaining("(" + (chars + 1) + " characters)")
                .hasMessageContaining("context length (1000 tokens)");
    }

    @Test
    void shouldRefuseAPromptAsLongAsTheContext() {
        String ids = "1,".repeat(999) + "1";
        assertThatThrownBy(() -> parse("{'input_ids': [" + ids + "]}"))
                .hasMessageContaining("1000 tokens")
                .hasMessageContaining("context length");
    }

    @Test
    void shouldReadACompletion() throws Exception {
        OpenAiRequest request = openAi.parseCompletion(
                json("{'prompt': ['a', 'b'], 'n': 2, 'stream': true, 'stream_options': {'include_usage': true},"
                        + " 'best_of': 1, 'echo': true, 'model': 'mine'}"),
                "simulated");
        assertThat(request.generate().sequences()).hasSize(4);
        assertThat(request.generate().sequences().get(0).samplingParams().maxNewTokens())
                .isEqualTo(16);
        assertThat(request.includeUsage()).isTrue();
        assertThat(request.continuousUsage()).isFalse();
        assertThat(request.echo()).containsExactly("a", "b");
        assertThat(request.model()).isEqualTo("mine");
        assertThat(openAi.parseCompletion(json("{'prompt': [1, 2]}"), "s")
                        .generate()
                        .prompts())
                .isEqualTo(1);
        assertThat(openAi.parseCompletion(json("{'prompt': [[1], [2]]}"), "s")
                        .generate()
                        .prompts())
                .isEqualTo(2);
    }

    @Test
    void shouldReadAChatWithTextParts() throws Exception {
        OpenAiRequest request = openAi.parseChat(
                json("{'messages': [{'role': 'system', 'content': 'Be brief.'}, {'role': 'user', 'content':"
                        + " [{'type': 'text', 'text': 'Hi '}, {'type': 'text', 'text': 'there'}]}],"
                        + " 'max_completion_tokens': 5, 'seed': 3}"),
                "simulated");
        SequenceSpec spec = request.generate().sequences().get(0);
        assertThat(VOCABULARY.text(spec.inputIds()))
                .isEqualTo("<|system|>\nBe brief.\n<|user|>\nHi there\n<|assistant|>\n");
        assertThat(spec.samplingParams().maxNewTokens()).isEqualTo(5);
        assertThat(spec.samplingParams().samplingSeed()).isEqualTo(3);
    }

    @Test
    void shouldFillTheContextWhenAChatNamesNoLimit() throws Exception {
        SequenceSpec spec = openAi.parseChat(json("{'messages': [{'role': 'user', 'content': 'Hi'}]}"), "s")
                .generate()
                .sequences()
                .get(0);
        assertThat(spec.samplingParams().maxNewTokens() + spec.inputIds().length)
                .isEqualTo(1000);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "{}|messages must be a list",
                "{'messages': []}|messages must be a list",
                "{'messages': ['x']}|messages[0] must be an object",
                "{'messages': [{'content': 'x'}]}|messages[0].role is required",
                "{'messages': [{'role': 'user', 'content': [{'type': 'image_url'}]}]}|parts of type text only",
                "{'messages': [{'role': 'user', 'content': 'x'}], 'tools': [{}]}|tools is not supported",
                "{'messages': [{'role': 'user', 'content': 'x'}], 'logprobs': true}|logprobs is not supported",
                "{'messages': [{'role': 'user', 'content': 'x'}], 'response_format': {'type': 'json_object'}}|response_format",
                "{'messages': [{'role': 'user', 'content': 'x'}], 'max_tokens': -1}|max_tokens must be at least 0",
                "{'messages': [{'role': 'user', 'content': 'x'}], 'max_tokens': 2000}|context length of 1000",
                "{'messages': [{'role': 'wizard', 'content': 'x'}]}|messages[0].role must be one of",
                "{'messages': [{'role': 'user', 'content': 7}]}|messages[0].content must be a string",
                "{'messages': [{'role': 'user', 'content': '\\ud800'}]}|messages[0].content holds an unpaired surrogate",
                "{'messages': [{'role': 'user', 'content': 'x'}], 'model': '\\ud800'}|model holds an unpaired surrogate",
                "{'messages': [{'role': 'user', 'content': 'x'}], 'stream_options': 5}|stream_options must be an object",
                "{'messages': [{'role': 'user', 'content': 'x'}], 'rid': ['a', 'b']}|rid has 2 entries"
            })
    void shouldNameWhatAChatGetsWrong(String body, String message) {
        assertThatThrownBy(() -> openAi.parseChat(json(body), "s"))
                .isInstanceOf(BadRequest.class)
                .hasMessageContaining(message);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "{}|prompt|prompt is required",
                "{'prompt': ''}|prompt|at least one token",
                "{'prompt': []}|prompt|1 to 4096",
                "{'prompt': [100277]}|prompt|token id 100277",
                "{'prompt': [[1], 'x']}|prompt|a list of integers",
                "{'prompt': 'x', 'max_tokens': 1000}|max_tokens|maximum context length of 1000",
                "{'prompt': 'x', 'best_of': 2}|best_of|best_of must be 1",
                "{'prompt': 'x', 'logprobs': 0}|logprobs|logprobs is not supported",
                "{'prompt': 'x', 'suffix': 'y'}|suffix|suffix is not supported",
                "{'prompt': 'x', 'response_format': {'type': 'json_object'}}|response_format|must be"
            })
    void shouldNameWhatACompletionGetsWrong(String body, String param, String message) {
        assertThatThrownBy(() -> openAi.parseCompletion(json(body), "s"))
                .isInstanceOfSatisfying(
                        BadRequest.class, e -> assertThat(e.param()).isEqualTo(param))
                .hasMessageContaining(message);
    }

    @Test
    void shouldAcceptWhatOpenAiClientsSendByDefault() throws Exception {
        assertThat(openAi.parseCompletion(
                                json("{'prompt': ['a', 'b'], 'rid': ['p', 'q'], 'response_format': {'type': 'text'},"
                                        + " 'logprobs': null, 'stop': null, 'suffix': null, 'user': 'u', 'top_k': -1}"),
                                "s")
                        .generate()
                        .sequences())
                .extracting(SequenceSpec::userRid)
                .containsExactly("p", "q");
        assertThat(openAi.parseChat(
                                json(
                                        "{'messages': [{'role': 'developer', 'content': 'd'}, {'role': 'assistant', 'content':"
                                                + " null}, {'role': 'user', 'content': 'x', 'name': 'n'}], 'tools': [],"
                                                + " 'tool_choice': 'none', 'top_logprobs': 0, 'logprobs': false,"
                                                + " 'response_format': {'type': 'text'}}"),
                                "s")
                        .generate()
                        .sequences())
                .hasSize(1);
    }
}
