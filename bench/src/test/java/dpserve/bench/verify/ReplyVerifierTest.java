package dpserve.bench.verify;

import static org.assertj.core.api.Assertions.assertThat;

import dpserve.bench.client.Backend;
import dpserve.bench.metrics.Outcomes;
import dpserve.bench.metrics.RequestOutcome;
import dpserve.bench.metrics.RequestOutcome.Ending;
import dpserve.bench.metrics.VerifyReport;
import dpserve.io.SimulatedModel;
import dpserve.tokenizer.JtokkitVocabulary;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class ReplyVerifierTest {
    private static final SimulatedModel MODEL = SimulatedModel.create();
    private static final JtokkitVocabulary VOCABULARY = new JtokkitVocabulary();
    private static final int[] PROMPT = {10, 20, 30};
    private static final byte[] BODY =
            "{\"input_ids\":[10,20,30],\"sampling_params\":{\"max_new_tokens\":40}}".getBytes(StandardCharsets.UTF_8);
    private static final int[] EXPECTED = MODEL.expectedOutput(PROMPT, 40, 0, false);

    private static String text(int[] ids) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        IntStream.of(ids).forEach(id -> bytes.writeBytes(MODEL.tokenBytes(id)));
        return bytes.toString(StandardCharsets.UTF_8);
    }

    private static RequestOutcome reply(int[] ids, String text, String problem) {
        return new RequestOutcome(
                0, Ending.COMPLETE, problem, 0, 0, 1, 1, new double[0], 3, 40, 0, text, ids, "r", 0, Map.of());
    }

    private static VerifyReport check(RequestOutcome outcome) {
        ReplyVerifier verifier = new ReplyVerifier(Backend.SGLANG, VOCABULARY);
        verifier.check(BODY, outcome);
        return verifier.report();
    }

    private static int[] without(int at) {
        return IntStream.range(0, 40).filter(i -> i != at).map(i -> EXPECTED[i]).toArray();
    }

    @Test
    void shouldAcceptTheExpectedReplyWithAndWithoutIds() {
        assertThat(check(reply(EXPECTED, text(EXPECTED), "")).correct()).isEqualTo(1);
        assertThat(check(reply(null, text(EXPECTED), "")).correct()).isEqualTo(1);
        assertThat(check(reply(EXPECTED, text(EXPECTED), "")).clean()).isTrue();
    }

    @Test
    void shouldFindOneWrongToken() {
        int[] ids = EXPECTED.clone();
        ids[17] = ids[17] + 1;

        VerifyReport report = check(reply(ids, text(EXPECTED), ""));
        assertThat(report.wrong()).isEqualTo(1);
        assertThat(report.clean()).isFalse();
        assertThat(report.firstProblem()).isEqualTo("request 0 (r): differs from 17 of 40 on");
    }

    @Test
    void shouldFindAMissingToken() {
        assertThat(check(reply(without(5), text(EXPECTED), "")).lost()).isEqualTo(1);
        assertThat(check(reply(without(39), text(EXPECTED), "")).lost()).isEqualTo(1);
    }

    @Test
    void shouldFindADoubledStretch() {
        int[] ids = IntStream.concat(
                        IntStream.of(EXPECTED).limit(30), IntStream.of(EXPECTED).skip(20))
                .toArray();

        VerifyReport report = check(reply(ids, text(ids), ""));
        assertThat(report.doubled()).isEqualTo(1);
        assertThat(report.summary())
                .startsWith(
                        "Verify: 0 replies as expected, 0 wrong, 0 lost, 1 doubled, 0 failed; first: request 0 (r): 10 more");
    }

    @Test
    void shouldFindTextThatDoesNotFitItsIds() {
        assertThat(check(reply(EXPECTED, text(EXPECTED).replace('e', 'o'), "")).wrong())
                .isEqualTo(1);
    }

    @Test
    void shouldNotAcceptAStreamOutOfOrderWhateverItEndedIn() {
        assertThat(check(reply(EXPECTED, text(EXPECTED), "an event after the last"))
                        .wrong())
                .isEqualTo(1);
    }

    @Test
    void shouldTellLostFromFailedRequests() {
        assertThat(check(Outcomes.failed(0, Ending.LOST, "reset")).lost()).isEqualTo(1);
        VerifyReport failed = check(Outcomes.failed(0, Ending.FAILED, "busy"));
        assertThat(failed.failed()).isEqualTo(1);
        assertThat(failed.clean()).isTrue();
    }
}
