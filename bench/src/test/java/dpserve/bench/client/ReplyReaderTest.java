package dpserve.bench.client;

import static org.assertj.core.api.Assertions.assertThat;

import dpserve.bench.metrics.RequestOutcome;
import dpserve.bench.metrics.RequestOutcome.Ending;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Replies at given times: the run starts at 0, the request is meant for 100 ms and sent at 103 ms. */
class ReplyReaderTest {
    private static final long MS = 1_000_000;

    private static void data(ReplyReader reader, long ms, String json) throws IOException {
        byte[] bytes = ("data: " + json).getBytes(StandardCharsets.UTF_8);
        reader.data(bytes, 6, bytes.length, ms * MS);
    }

    private static RequestOutcome outcome(ReplyReader reader, long endMs, String lost) {
        return reader.outcome(3, 50, 16, 0, 100 * MS, 103 * MS, endMs * MS, lost);
    }

    private static String generate(String text, String ids, int tokens, String finishReason) {
        return "{\"text\":\"" + text + "\",\"output_ids\":" + ids + ",\"meta_info\":{\"id\":\"r1\",\"finish_reason\":"
                + finishReason + ",\"prompt_tokens\":40,\"completion_tokens\":" + tokens
                + ",\"cached_tokens\":8,\"dp_rank\":2,\"e2e_latency\":0.5}}";
    }

    @Test
    void shouldMeasureACumulativeStreamFromTheIntendedSendTime() throws IOException {
        ReplyReader reader = new GenerateReply();
        data(reader, 150, generate("", "[1]", 1, "null"));
        data(reader, 160, generate("a", "[1,2]", 2, "null"));
        data(reader, 180, generate("ab", "[1,2,3]", 3, "null"));
        data(reader, 240, generate("abcd", "[1,2,3,4,5]", 5, "{\"type\":\"length\",\"length\":5}"));
        data(reader, 241, "[DONE]");

        RequestOutcome o = outcome(reader, 241, null);
        assertThat(o.ending()).isEqualTo(Ending.COMPLETE);
        assertThat(o.problem()).isEmpty();
        assertThat(o.startS()).isEqualTo(0.1);
        assertThat(o.sendLagS()).isEqualTo(0.003);
        assertThat(o.ttftS()).as("upstream counts from the first text").isEqualTo(0.060);
        assertThat(o.latencyS()).isEqualTo(0.141);
        assertThat(o.itlS()).containsExactly(0.020, 0.030, 0.030);
        assertThat(o.outputLen()).isEqualTo(5);
        assertThat(o.tpotS()).isEqualTo((0.141 - 0.060) / 4);
        assertThat(o.promptLen()).isEqualTo(40);
        assertThat(o.cachedTokens()).isEqualTo(8);
        assertThat(o.text()).isEqualTo("abcd");
        assertThat(o.outputIds()).containsExactly(1, 2, 3, 4, 5);
        assertThat(o.rid()).isEqualTo("r1");
        assertThat(o.dpRank()).isEqualTo(2);
    }

    @Test
    void shouldTakeStagesWhereTheServerTellsThem() throws IOException {
        ReplyReader generate = new GenerateReply();
        data(generate, 110, "{\"text\":\"a\",\"meta_info\":{\"stages\":{\"queue\":0.25,\"prefill\":0.5}}}");
        assertThat(outcome(generate, 110, null).stagesS())
                .containsExactly(Map.entry("queue", 0.25), Map.entry("prefill", 0.5));
        ReplyReader openAi = new OpenAiReply();
        data(openAi, 110, "{\"choices\":[{\"text\":\"a\"}],\"sglext\":{\"stages\":[{\"queue\":0.25}]}}");
        assertThat(outcome(openAi, 110, null).stagesS()).containsExactly(Map.entry("queue", 0.25));
        assertThat(outcome(new OpenAiReply(), 110, null).stagesS()).isEmpty();
    }

    @Test
    void shouldNotTakeGeneratedTextForFields() throws IOException {
        ReplyReader reader = new GenerateReply();
        String tricky = "\\\"completion_tokens\\\":99,\\\"finish_reason\\\":{}";
        data(reader, 110, generate("x", "[1]", 1, "null"));
        data(reader, 120, generate(tricky, "[1,2]", 2, "null"));
        data(
                reader,
                130,
                "{\"meta_info\": {\"finish_reason\": null, \"completion_tokens\": 3}, \"text\": \"" + tricky + "\"}");

        assertThat(reader.completionTokens).isEqualTo(3);
        assertThat(reader.finished).isFalse();
        assertThat(reader.timeline.itlS()).containsExactly(0.010, 0.010);
    }

    @Test
    void shouldTellFailedFromLostRequests() throws IOException {
        ReplyReader failed = new GenerateReply();
        data(failed, 110, generate("x", "[1]", 1, "null"));
        data(failed, 120, "{\"error\":{\"message\":\"rank 2 died\",\"code\":503}}");
        ReplyReader aborted = new GenerateReply();
        data(aborted, 120, generate("", "[]", 0, "{\"type\":\"abort\",\"message\":\"Abort in waiting queue\"}"));
        ReplyReader cut = new GenerateReply();
        data(cut, 110, generate("x", "[1]", 1, "null"));
        data(cut, 111, "[DONE]");
        ReplyReader dropped = new GenerateReply();
        data(dropped, 110, generate("x", "[1]", 1, "null"));

        assertThat(outcome(failed, 120, null))
                .extracting("ending", "problem")
                .containsExactly(Ending.FAILED, "rank 2 died");
        assertThat(outcome(aborted, 120, null))
                .extracting("ending", "problem")
                .containsExactly(Ending.FAILED, "aborted: Abort in waiting queue");
        assertThat(outcome(cut, 111, null))
                .extracting("ending", "problem")
                .containsExactly(Ending.LOST, "the stream ended before the reply was complete");
        assertThat(outcome(dropped, 110, "reset"))
                .extracting("ending", "problem")
                .containsExactly(Ending.LOST, "reset");
        assertThat(outcome(dropped, 110, "reset").success()).isFalse();
    }

    @Test
    void shouldNoticeAStreamOutOfOrder() throws IOException {
        ReplyReader back = new GenerateReply();
        data(back, 110, generate("ab", "[1,2]", 2, "null"));
        data(back, 111, generate("a", "[1]", 1, "null"));
        data(back, 112, generate("abc", "[1,2,3]", 3, "{\"type\":\"length\"}"));
        ReplyReader twice = new GenerateReply();
        data(twice, 110, generate("a", "[1]", 1, "{\"type\":\"length\"}"));
        data(twice, 111, generate("a", "[1]", 1, "{\"type\":\"length\"}"));
        ReplyReader late = new OpenAiReply();
        data(late, 110, "{\"choices\":[{\"text\":\"a\",\"finish_reason\":\"length\"}]}");
        data(late, 111, "[DONE]");
        data(late, 112, "{\"choices\":[{\"text\":\"b\",\"finish_reason\":null}]}");

        assertThat(outcome(back, 112, null).problem()).isEqualTo("completion_tokens went from 2 back to 1");
        assertThat(outcome(twice, 111, null).problem()).isEqualTo("an event after the last");
        assertThat(outcome(late, 112, null).problem()).isEqualTo("an event after the end of the stream");
    }

    @Test
    void shouldTakeAReplyInOnePieceForItsFirstToken() throws IOException {
        ReplyReader reader = new GenerateReply();
        reader.whole(generate("abc", "[1,2,3]", 3, "{\"type\":\"length\"}").getBytes(StandardCharsets.UTF_8), 400 * MS);

        RequestOutcome o = outcome(reader, 400, null);
        assertThat(o.success()).isTrue();
        assertThat(o.ttftS()).isEqualTo(0.3).isEqualTo(o.latencyS());
        assertThat(o.itlS()).isEmpty();
        assertThat(o.outputLen()).isEqualTo(3);
    }

    @Test
    void shouldReadCompletionsWithTheirUsage() throws IOException {
        ReplyReader reader = new OpenAiReply();
        data(reader, 120, "{\"id\":\"c1\",\"choices\":[{\"text\":\"Hel\",\"finish_reason\":null}],\"usage\":null}");
        data(reader, 130, "{\"id\":\"c1\",\"choices\":[{\"text\":\"\",\"finish_reason\":null}]}");
        data(reader, 150, "{\"id\":\"c1\",\"choices\":[{\"text\":\"lo\",\"finish_reason\":\"length\"}]}");
        data(
                reader,
                151,
                "{\"id\":\"c1\",\"choices\":[],\"usage\":{\"prompt_tokens\":9,\"completion_tokens\":4,"
                        + "\"prompt_tokens_details\":{\"cached_tokens\":5}}}");
        data(reader, 152, "[DONE]");

        RequestOutcome o = outcome(reader, 152, null);
        assertThat(o.success()).isTrue();
        assertThat(o.text()).isEqualTo("Hello");
        assertThat(o.ttftS()).isEqualTo(0.020);
        assertThat(o.itlS()).as("one gap for a chunk").containsExactly(0.030);
        assertThat(o.outputLen()).isEqualTo(4);
        assertThat(o.promptLen()).isEqualTo(9);
        assertThat(o.cachedTokens()).isEqualTo(5);
        assertThat(o.outputIds()).isNull();
    }

    @Test
    void shouldReadChatsStreamedAndWhole() throws IOException {
        ReplyReader stream = new OpenAiReply();
        data(
                stream,
                110,
                "{\"choices\":[{\"delta\":{\"role\":\"assistant\",\"content\":\"\"},\"finish_reason\":null}]}");
        data(stream, 120, "{\"choices\":[{\"delta\":{\"content\":null,\"reasoning_content\":\"Hm\"}}]}");
        data(stream, 130, "{\"choices\":[{\"delta\":{\"content\":\" yes\"},\"finish_reason\":\"stop\"}]}");
        ReplyReader whole = new OpenAiReply();
        whole.whole(
                ("{\"choices\":[{\"message\":{\"role\":\"assistant\",\"content\":\"yes\"},\"finish_reason\":\"stop\"}],"
                                + "\"usage\":{\"completion_tokens\":1}}")
                        .getBytes(StandardCharsets.UTF_8),
                200 * MS);

        assertThat(outcome(stream, 130, null).text()).isEqualTo("Hm yes");
        assertThat(outcome(stream, 130, null).ttftS()).isEqualTo(0.020);
        assertThat(outcome(stream, 130, null).outputLen())
                .as("as asked for, without usage")
                .isEqualTo(16);
        assertThat(outcome(whole, 200, null).text()).isEqualTo("yes");
        assertThat(outcome(whole, 200, null).outputLen()).isEqualTo(1);
    }

    @Test
    void shouldReadOpenAiErrors() throws IOException {
        ReplyReader reader = new OpenAiReply();
        data(reader, 110, "{\"object\":\"error\",\"message\":\"too long\",\"code\":400}");

        assertThat(outcome(reader, 110, null))
                .extracting("ending", "problem")
                .containsExactly(Ending.FAILED, "too long");
    }
}
