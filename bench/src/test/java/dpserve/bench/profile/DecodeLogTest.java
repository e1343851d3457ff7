package dpserve.bench.profile;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import org.junit.jupiter.api.Test;

class DecodeLogTest {
    private static final String STEP_OF_50_MS =
            "#running-req: 10, #token: 5195, token usage: 0.10, cuda graph: True, gen throughput (token/s): 200.00, #queue-req: 0";

    private final DecodeLog log = new DecodeLog(40);

    private void add(String... lines) {
        for (String line : lines) {
            log.add("a.log", line);
        }
    }

    @Test
    void shouldTakeTheMeanOfTheTokensOverTheStepsOfALine() {
        add("DP0 Decode batch, " + STEP_OF_50_MS, "DP0 Decode batch, " + STEP_OF_50_MS);

        assertThat(log.decodeLines()).isEqualTo(2);
        // The first line of a rank says nothing about the time before it.
        assertThat(log.observations()).containsExactly(new Observation(10, 5000, 50));
    }

    @Test
    void shouldReadTheFormsOfRecentReleases() {
        List<String> forms = List.of(
                "[2025-06-01 10:00:00 DP3 TP0] Decode batch. " + STEP_OF_50_MS,
                "[2026-06-01 10:00:00 DP3 TP0] Decode batch, " + STEP_OF_50_MS + ", ",
                "[2026-06-01 10:00:00 DP3 TP0] Decode batch [1240], " + STEP_OF_50_MS,
                "[main] INFO dpserve.scheduler - DP3 Decode batch, " + STEP_OF_50_MS,
                "[2026-03-14 04:59:11] Decode batch, #running-req: 10, #full token: 5195, full token usage: 0.14, mamba num:"
                        + " 20, mamba usage: 1.00, cuda graph: True, gen throughput (token/s): 200.00, #queue-req: 6, ",
                "[2026-03-14 04:59:11 TP0] Decode batch, #running-req: 10, #full token: 5195, full token usage: 0.14, #swa"
                        + " token: 77, swa token usage: 0.05, npu graph: True, gen throughput (token/s): 200.00",
                "[2026-03-14 04:59:11 TP1] Decode batch, #running-req: 10, #token: 5195, token usage: 0.14, pre-allocated"
                        + " usage: 0.01, #prealloc-req: 0, #transfer-req: 0, #retracted-req: 0, cuda graph: True, gen"
                        + " throughput (token/s): 200.00, #queue-req: 0");
        for (String form : forms) {
            DecodeLog one = new DecodeLog(40);
            one.add("a.log", form);
            one.add("a.log", form);
            assertThat(one.observations()).as(form).containsExactly(new Observation(10, 5000, 50));
        }
    }

    @Test
    void shouldCountTheTokensThatASpeculativeStepAccepts() {
        String line =
                "Decode batch, #running-req: 9, #full token: 11584, full token usage: 0.01, mamba num: 36, mamba usage:"
                        + " 0.60, accept len: 3.04, accept rate: 0.68, cuda graph: True, gen throughput (token/s): 273.60,"
                        + " #queue-req: 1";
        add(line, line);

        assertThat(log.observations()).hasSize(1);
        assertThat(log.observations().get(0).stepMs()).isCloseTo(100, within(1e-9));
    }

    @Test
    void shouldLeaveOutStepsMixedWithAnythingElse() {
        add(
                "DP0 Decode batch, " + STEP_OF_50_MS,
                "DP0 Prefill batch, #new-seq: 1, #new-token: 100, #cached-token: 0, token usage: 0.10, #running-req: 10",
                "DP0 Decode batch, " + STEP_OF_50_MS,
                "DP0 KV cache pool is full. Retract requests. #retracted_reqs: 1, #new_tokens_gained: 100",
                "DP0 Decode batch, " + STEP_OF_50_MS,
                "DP0 Decode batch, " + STEP_OF_50_MS.replace("#running-req: 10", "#running-req: 9"));

        assertThat(log.decodeLines()).isEqualTo(4);
        assertThat(log.observations()).isEmpty();
    }

    @Test
    void shouldKeepRanksAndFilesApart() {
        add(
                "DP0 TP0 Decode batch, " + STEP_OF_50_MS,
                "DP1 TP0 Prefill batch, #new-seq: 1, #new-token: 100",
                "DP1 TP0 Decode batch, " + STEP_OF_50_MS);
        log.add("b.log", "DP0 TP0 Decode batch, " + STEP_OF_50_MS);
        assertThat(log.observations()).isEmpty();

        add("DP0 TP0 Decode batch, " + STEP_OF_50_MS);
        assertThat(log.observations()).hasSize(1);
    }

    @Test
    void shouldPassOverLinesThatAreNoBatchLines() {
        add(
                "INFO server started, #token: 12",
                "Decode batch, #running-req: 3",
                "Decode batch, #running-req: 3, #token: 5, gen throughput (token/s): 1.2.3",
                "");

        assertThat(log.decodeLines()).isZero();
        assertThat(log.observations()).isEmpty();
    }
}
