package dpserve.tokenizer.http;

import static org.assertj.core.api.Assertions.assertThat;

import dpserve.io.message.SamplingParams;
import dpserve.tokenizer.SequenceSpec;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class AdmissionTest {
    private final WorkerMetrics live = new WorkerMetrics("m");
    private boolean draining;
    private final Admission admission = new Admission(3, 100, live, () -> draining);

    private static SequenceSpec spec(int tokens) {
        return new SequenceSpec("r", new int[tokens], SamplingParams.greedy(4), true, SequenceSpec.Routing.NONE);
    }

    @Test
    void shouldRefuseMoreRequestsThanItMayHave() {
        live.accepted(spec(1));
        live.accepted(spec(1));
        assertThat(admission.refusal(List.of(spec(1)))).isNull();
        assertThat(admission.refusal(Collections.nCopies(2, spec(1)))).contains("--max-live-requests 3");
    }

    @Test
    void shouldRefuseMorePromptTokensThanItMayHaveButServeOneThatIsTooLongAlone() {
        assertThat(admission.refusal(List.of(spec(500)))).isNull();
        live.accepted(spec(90));
        assertThat(admission.refusal(List.of(spec(10)))).isNull();
        assertThat(admission.refusal(List.of(spec(6), spec(6)))).contains("--max-live-prompt-tokens 100");
    }

    @Test
    void shouldCountLogitBiasAsThePromptTokensThatTakeAsMuchMemory() {
        SequenceSpec biased = spec(Map.of("1", 1.0, "2", 1.0, "3", 1.0), new int[0], List.of());
        live.accepted(biased);
        assertThat(admission.refusal(List.of(spec(15)))).isNull();
        assertThat(admission.refusal(List.of(spec(16)))).contains("--max-live-prompt-tokens 100");
        assertThat(admission.refusal(List.of(biased))).contains("--max-live-prompt-tokens 100");
    }

    @Test
    void shouldCountWhatStopsAReplyToo() {
        live.accepted(spec(null, new int[9], List.of("twenty characters of", "another twenty chars")));
        assertThat(admission.refusal(List.of(spec(10)))).isNull();
        assertThat(admission.refusal(List.of(spec(11)))).contains("--max-live-prompt-tokens 100");
    }

    private static SequenceSpec spec(Map<String, Double> bias, int[] stopTokenIds, List<String> stops) {
        SamplingParams params = new SamplingParams(
                4, stopTokenIds, 1, 1, 1, 0, 0, 0, 1, 0, 1, false, true, true, false, null, bias, null, stops, 0);
        return new SequenceSpec("r", new int[] {1}, params, true, SequenceSpec.Routing.NONE);
    }

    @Test
    void shouldRefuseEverythingWhileItDrains() {
        draining = true;
        assertThat(admission.refusal(List.of(spec(1)))).isEqualTo("The server is shutting down.");
    }
}
