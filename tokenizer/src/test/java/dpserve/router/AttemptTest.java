package dpserve.router;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

class AttemptTest {
    private static final ObjectMapper JSON = new ObjectMapper();

    private static ObjectNode json(String text) {
        try {
            return (ObjectNode) JSON.readTree(text.replace('\'', '"'));
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    private static Attempt attempt(String path, String body) {
        return new Attempt(path, json(body), "made-up");
    }

    /** What the client sees of an event, or null. */
    private static JsonNode take(Attempt attempt, String event) {
        try {
            byte[] shown = attempt.take(event.replace('\'', '"').getBytes(StandardCharsets.UTF_8));
            return shown == null ? null : JSON.readTree(shown);
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    private static JsonNode resume(Attempt attempt) {
        return attempt.body(false, "h", 1, 2).path("resume");
    }

    @Test
    void shouldGiveBothHalvesTheRoom() {
        ObjectNode client = json("{'text': 'a', 'stream': true, 'stream_options': {}}");
        Attempt attempt = new Attempt("/generate", client, "made-up");
        JsonNode decode = attempt.body(false, "10.0.0.1", 8998, 77);
        JsonNode prefill = attempt.body(true, "10.0.0.1", 8998, 77);
        assertThat(decode.get("bootstrap_host").asText()).isEqualTo("10.0.0.1");
        assertThat(decode.get("bootstrap_port").asInt()).isEqualTo(8998);
        assertThat(decode.get("bootstrap_room").asLong()).isEqualTo(77);
        assertThat(decode.get("rid").asText()).isEqualTo("made-up");
        assertThat(decode.get("stream").asBoolean()).isTrue();
        assertThat(decode.has("resume")).isFalse();
        assertThat(prefill.get("bootstrap_room").asLong()).isEqualTo(77);
        assertThat(prefill.get("stream").asBoolean()).isFalse();
        assertThat(client.has("rid")).isFalse();
    }

    @Test
    void shouldKeepTheClientsOwnName() {
        assertThat(attempt("/generate", "{'text': 'a', 'rid': 'mine'}")
                        .body(false, "h", 1, 2)
                        .get("rid")
                        .asText())
                .isEqualTo("mine");
    }

    @Test
    void shouldGoOnBehindWhatGenerateSaid() {
        Attempt attempt = attempt("/generate", "{'text': 'a', 'stream': true}");
        take(attempt, "{'text': 'x', 'output_ids': [5], 'meta_info': {'finish_reason': null, 'completion_tokens': 1}}");
        take(
                attempt,
                "{'text': 'xy', 'output_ids': [5, 6], 'meta_info': {'finish_reason': null, 'completion_tokens': 2}}");
        assertThat(resume(attempt))
                .isEqualTo(json("{'a': [{'output_ids': [5, 6], 'text': 'xy'}]}").get("a"));
    }

    @Test
    void shouldReadLongEventsOnlyWhenItMust() {
        Attempt attempt = attempt("/generate", "{'text': 'a', 'stream': true}");
        for (int n = 1; n <= 4; n++) {
            String ids = "5, 5, 5, 5".substring(0, 3 * n - 2);
            String event = "{'text': '" + "xxxx".substring(0, n) + "', 'output_ids': [" + ids
                    + "], 'meta_info': {'finish_reason': null, 'completion_tokens': " + n + "}}";
            assertThat(take(attempt, event)).isNotNull();
        }
        assertThat(resume(attempt))
                .isEqualTo(json("{'a': [{'output_ids': [5, 5, 5, 5], 'text': 'xxxx'}]}")
                        .get("a"));
        attempt.beginAttempt();
        String end =
                "{'text': 'xxxxy', 'output_ids': [5, 5, 5, 5, 6], 'meta_info': {'finish_reason': {'type': 'length'},"
                        + " 'completion_tokens': 5}}";
        assertThat(take(attempt, end)).isNotNull();
        attempt.beginAttempt();
        assertThat(take(attempt, end)).as("an end that the client has").isNull();
    }

    @Test
    void shouldAddUpChunksOfIncrementalStreaming() {
        Attempt attempt = attempt("/generate", "{'text': 'a', 'stream': true}");
        take(attempt, "{'text': 'x', 'output_ids': [5], 'meta_info': {'finish_reason': null, 'completion_tokens': 1}}");
        take(attempt, "{'text': 'y', 'output_ids': [6], 'meta_info': {'finish_reason': null, 'completion_tokens': 2}}");
        assertThat(resume(attempt))
                .isEqualTo(json("{'a': [{'output_ids': [5, 6], 'text': 'xy'}]}").get("a"));
    }

    @Test
    void shouldGoOnBehindEachChoiceOfItsOwn() {
        Attempt attempt = attempt("/v1/completions", "{'prompt': ['a', 'b'], 'n': 2, 'stream': true}");
        take(attempt, "{'choices': [{'index': 2, 'text': 'hi', 'token_ids': [1, 2], 'finish_reason': null}]}");
        take(
                attempt,
                "{'choices': [{'index': 0, 'text': 'yo', 'token_ids': [3], 'finish_reason': 'stop', 'matched_stop': 7}]}");
        assertThat(resume(attempt))
                .isEqualTo(
                        json("{'a': [{'output_ids': [3], 'text': 'yo', 'finish_reason': {'type': 'stop', 'matched': 7}}, null, {'output_ids': [1, 2], 'text': 'hi'}, null]}")
                                .get("a"));
    }

    @Test
    void shouldNeedThePrefillHalfUntilEachSequenceHasBegun() {
        Attempt attempt = attempt("/v1/completions", "{'prompt': 'a', 'n': 2, 'stream': true}");
        take(attempt, "{'choices': [{'index': 0, 'text': 'x', 'token_ids': [3], 'finish_reason': 'stop'}]}");
        assertThat(attempt.hasBegun()).isFalse();
        take(attempt, "{'choices': [{'index': 1, 'text': 'x', 'token_ids': [3], 'finish_reason': null}]}");
        assertThat(attempt.hasBegun()).isTrue();
        attempt.beginAttempt();
        assertThat(attempt.hasBegun()).as("the second one has to begin again").isFalse();
        take(attempt, "{'choices': [{'index': 1, 'text': 'y', 'token_ids': [4], 'finish_reason': null}]}");
        assertThat(attempt.hasBegun()).isTrue();
        Attempt one = attempt("/generate", "{'text': 'a', 'stream': true}");
        assertThat(one.hasBegun()).isFalse();
        take(one, "{'text': 'x', 'output_ids': [5], 'meta_info': {'finish_reason': null, 'completion_tokens': 1}}");
        assertThat(one.hasBegun()).isTrue();
    }

    @Test
    void shouldGoOnBehindWhatTheClientBroughtAlong() {
        String own = "'resume': {'output_ids': [1, 2], 'text': 'ab'}";
        Attempt attempt = attempt("/v1/completions", "{'prompt': 'p', 'stream': true, " + own + "}");
        assertThat(resume(attempt).get(0)).isEqualTo(json("{'output_ids': [1, 2], 'text': 'ab'}"));
        take(attempt, "{'choices': [{'index': 0, 'text': 'c', 'token_ids': [3], 'finish_reason': null}]}");
        assertThat(resume(attempt).get(0)).isEqualTo(json("{'output_ids': [1, 2, 3], 'text': 'abc'}"));
        assertThat(resume(attempt("/generate", "{'text': ['a', 'b'], " + own + "}")))
                .as("what a server refuses stays as it is")
                .isEqualTo(json("{" + own + "}").get("resume"));
    }

    @Test
    void shouldNotGoOnBehindOutputWithLogProbabilities() {
        String chunk = "{'choices': [{'index': 0, 'text': 'c', 'token_ids': [3], 'finish_reason': null}]}";
        Attempt with = attempt("/v1/completions", "{'prompt': 'p', 'stream': true, 'logprobs': 0}");
        assertThat(with.canGoOn()).as("from the beginning").isTrue();
        take(with, chunk);
        assertThat(with.canGoOn()).isFalse();
        Attempt without = attempt("/v1/chat/completions", "{'messages': [], 'stream': true, 'logprobs': false}");
        take(without, chunk);
        assertThat(without.canGoOn()).isTrue();
        Attempt generate = attempt("/generate", "{'text': 'a', 'stream': true, 'return_logprob': true}");
        take(
                generate,
                "{'text': 'x', 'output_ids': [5], 'meta_info': {'finish_reason': null, 'completion_tokens': 1}}");
        assertThat(generate.canGoOn()).isFalse();
    }

    @Test
    void shouldTakeANullTextForNone() {
        Attempt attempt = attempt("/generate", "{'text': null, 'input_ids': [[1], [2]]}");
        assertThat(attempt.rooms()).isEqualTo(2);
    }

    @Test
    void shouldNotTakeAnEchoedPromptForOutput() {
        Attempt attempt = attempt("/v1/completions", "{'prompt': 'p', 'echo': true, 'stream': true}");
        take(attempt, "{'choices': [{'index': 0, 'text': 'p', 'finish_reason': null}]}");
        take(attempt, "{'choices': [{'index': 0, 'text': 'x', 'token_ids': [9], 'finish_reason': null}]}");
        assertThat(resume(attempt).get(0)).isEqualTo(json("{'output_ids': [9], 'text': 'x'}"));
    }

    @Test
    void shouldTakeTheTokenIdsOutAgainUnlessTheClientWantsThem() {
        String event =
                "{'choices': [{'index': 0, 'delta': {'content': 'x'}, 'token_ids': [9], 'finish_reason': null}]}";
        Attempt without = attempt("/v1/chat/completions", "{'messages': [], 'stream': true}");
        Attempt with = attempt("/v1/chat/completions", "{'messages': [], 'stream': true, 'return_token_ids': true}");
        assertThat(without.body(false, "h", 1, 2).get("return_token_ids").asBoolean())
                .isTrue();
        assertThat(take(without, event).toString()).doesNotContain("token_ids");
        assertThat(take(with, event).toString()).contains("token_ids");
    }

    @Test
    void shouldNotEndAChoiceTwice() {
        Attempt attempt = attempt("/v1/completions", "{'prompt': 'p', 'n': 2, 'stream': true}");
        String end = "{'choices': [{'index': 1, 'text': '', 'token_ids': [], 'finish_reason': 'length'}]}";
        assertThat(take(attempt, end)).isNotNull();
        assertThat(take(attempt, end)).isNull();
        assertThat(take(attempt, "{'choices': [], 'usage': {}}")).isNotNull();
    }
}
