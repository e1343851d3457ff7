package dpserve.bench.chaos;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dpserve.bench.chaos.ChaosRequest.Kind;
import dpserve.bench.chaos.ReplyJudge.Verdict;
import dpserve.detokenizer.ExpectedReply;
import dpserve.detokenizer.WholeText;
import dpserve.io.SimulatedModel;
import dpserve.tokenizer.JtokkitVocabulary;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

class ReplyJudgeTest {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final JtokkitVocabulary VOCABULARY = new JtokkitVocabulary();
    private static final int LENGTH = 12;
    private static final int[] PROMPT = {1, 2, 3};
    private static final ChaosRequest PLAIN = new ChaosRequest("r", Kind.PLAIN, PROMPT, LENGTH, true);
    private static final ChaosRequest STREAM = new ChaosRequest("r", Kind.STREAM, PROMPT, LENGTH, true);
    private static final ChaosRequest ABORTED = new ChaosRequest("r", Kind.ABORT_STREAM, PROMPT, LENGTH, true);
    private static final ExpectedReply EXPECTED =
            ExpectedReply.of(SimulatedModel.create(), VOCABULARY, PROMPT, PLAIN.params());

    @Test
    void shouldTakeAWholeReply() {
        assertThat(verdict(PLAIN, false, event(0, LENGTH, "length"))).isEqualTo(Verdict.WHOLE);
    }

    @Test
    void shouldTakeStreamsOfBothForms() {
        assertThat(verdict(STREAM, true, event(0, 5, null), event(5, 9, null), event(9, LENGTH, "length")))
                .isEqualTo(Verdict.WHOLE);
        assertThat(verdict(STREAM, false, event(0, 5, null), event(0, 9, null), event(0, LENGTH, "length")))
                .isEqualTo(Verdict.WHOLE);
    }

    @Test
    void shouldFindALostToken() {
        assertThat(verdict(STREAM, true, event(0, 5, null), event(6, LENGTH, "length")))
                .isEqualTo(Verdict.WRONG);
        assertThat(verdict(PLAIN, false, event(0, LENGTH - 1, "length"))).isEqualTo(Verdict.WRONG);
    }

    @Test
    void shouldFindADoubledToken() {
        assertThat(verdict(STREAM, true, event(0, 5, null), event(4, LENGTH, "length")))
                .isEqualTo(Verdict.WRONG);
    }

    @Test
    void shouldFindAnotherText() {
        ObjectNode event = event(0, LENGTH, "length");
        event.put("text", event.get("text").asText() + "x");

        assertThat(verdict(PLAIN, false, event)).isEqualTo(Verdict.WRONG);
    }

    @Test
    void shouldFindACountThatIsNotThatOfTheIds() {
        ObjectNode event = event(0, LENGTH, "length");
        event.withObjectProperty("meta_info").put("completion_tokens", LENGTH + 1);

        assertThat(verdict(PLAIN, false, event)).isEqualTo(Verdict.WRONG);
    }

    @Test
    void shouldWantExactlyOneEnd() {
        assertThat(verdict(STREAM, true, event(0, LENGTH, null))).isEqualTo(Verdict.WRONG);
        assertThat(verdict(STREAM, true, event(0, LENGTH, "length"), event(LENGTH, LENGTH, "length")))
                .isEqualTo(Verdict.WRONG);
    }

    @Test
    void shouldTakeAnAbortOnlyOfARequestThatIsCutShort() {
        assertThat(verdict(ABORTED, true, event(0, 4, null), event(4, 6, "abort")))
                .isEqualTo(Verdict.ABORTED);
        assertThat(verdict(STREAM, true, event(0, 4, null), event(4, 6, "abort")))
                .isEqualTo(Verdict.WRONG);
    }

    @Test
    void shouldTakeARefusalForOne() throws JsonProcessingException {
        JsonNode refusal = JSON.readTree("{\"error\": {\"message\": \"full\", \"code\": 503}}");
        JsonNode other = JSON.readTree("{\"error\": {\"message\": \"what?\", \"code\": 400}}");

        assertThat(verdict(STREAM, true, refusal)).isEqualTo(Verdict.REFUSED);
        assertThat(verdict(STREAM, true, other)).isEqualTo(Verdict.WRONG);
    }

    @Test
    void shouldTakeStatus503AloneForARefusal() {
        ReplyJudge full = new ReplyJudge(STREAM, EXPECTED, VOCABULARY, true);
        full.refusal(503, "no room");
        ReplyJudge broken = new ReplyJudge(STREAM, EXPECTED, VOCABULARY, true);
        broken.refusal(500, "broken");

        assertThat(full.verdict()).isEqualTo(Verdict.REFUSED);
        assertThat(broken.verdict()).isEqualTo(Verdict.WRONG);
    }

    private static Verdict verdict(ChaosRequest request, boolean incremental, JsonNode... events) {
        ReplyJudge judge = new ReplyJudge(request, EXPECTED, VOCABULARY, incremental);
        Arrays.stream(events).forEach(judge::event);
        Verdict verdict = judge.verdict();
        assertThat(judge.problem() != null).isEqualTo(verdict == Verdict.WRONG);
        return verdict;
    }

    /** Output from one token to another. */
    private static ObjectNode event(int from, int to, String finish) {
        ObjectNode event = JSON.createObjectNode();
        String before = WholeText.reply(VOCABULARY, PROMPT, Arrays.copyOf(EXPECTED.outputIds(), from), true);
        String all = WholeText.reply(VOCABULARY, PROMPT, Arrays.copyOf(EXPECTED.outputIds(), to), true);
        event.put("text", all.substring(before.length()));
        for (int i = from; i < to; i++) {
            event.withArrayProperty("output_ids").add(EXPECTED.outputIds()[i]);
        }
        ObjectNode meta = event.putObject("meta_info").put("completion_tokens", to);
        if (finish == null) {
            meta.putNull("finish_reason");
        } else {
            meta.putObject("finish_reason").put("type", finish);
        }
        return event;
    }
}
