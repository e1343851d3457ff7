package dpserve.tokenizer.http;

import static org.assertj.core.api.Assertions.assertThat;

import dpserve.io.message.BatchStrOutput;
import dpserve.io.message.FinishReason;
import dpserve.io.message.Message;
import dpserve.io.message.SamplingParams;
import dpserve.io.message.TokenizedGenerateReqInput;
import dpserve.tokenizer.Deadlines;
import dpserve.tokenizer.ManagerOutput;
import dpserve.tokenizer.OnRankFailure;
import dpserve.tokenizer.Resumption;
import dpserve.tokenizer.SequenceSpec;
import dpserve.tokenizer.TokenizerManager;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

class WorkerMetricsTest {
    private static final long MS = 1_000_000L;

    private final List<Message> sent = new ArrayList<>();
    private final WorkerMetrics metrics = new WorkerMetrics("m");
    private final TokenizerManager manager = new TokenizerManager(
            "tcp://127.0.0.1:1",
            7,
            new ManagerOutput() {
                @Override
                public boolean toController(Message message) {
                    return sent.add(message);
                }

                @Override
                public void toDetokenizers(Message message) {
                    sent.add(message);
                }
            },
            metrics,
            new Resumption(OnRankFailure.RESUME, 0),
            new Deadlines(0),
            ns -> ns / 1e9);

    @Test
    void shouldPutMillisecondsIntoTheirBuckets() {
        SequenceSpec spec =
                new SequenceSpec("r", new int[] {1, 2, 3}, SamplingParams.greedy(4), true, SequenceSpec.Routing.NONE);
        manager.submit(spec, (state, text) -> {}, 0, 0);
        String rid = ((TokenizedGenerateReqInput) sent.get(0)).rid();
        manager.onBatch(output(rid, 1, 1, null), 300 * MS);
        manager.onBatch(output(rid, 3, 2, new FinishReason.Length(3)), 390 * MS);

        String text = metrics.scrape();
        assertThat(bucket(text, "sglang:time_to_first_token_seconds", "0.2")).isZero();
        assertThat(bucket(text, "sglang:time_to_first_token_seconds", "0.4")).isEqualTo(1);
        assertThat(bucket(text, "sglang:inter_token_latency_seconds", "0.04")).isZero();
        assertThat(bucket(text, "sglang:inter_token_latency_seconds", "0.06")).isEqualTo(2);
        assertThat(bucket(text, "sglang:e2e_request_latency_seconds", "0.4")).isEqualTo(1);
        assertThat(bucket(text, "sglang:request_time_per_output_token_seconds", "0.04"))
                .isZero();
        assertThat(bucket(text, "sglang:request_time_per_output_token_seconds", "0.06"))
                .isEqualTo(1);
        String streamed = "{model_name=\"m\",engine_type=\"unified\",is_streaming=\"true\"} ";
        assertThat(sorted(text)).containsAll(sorted("sglang:generation_tokens_total" + streamed + "3.0"));
        assertThat(sorted(text)).containsAll(sorted("sglang:prompt_tokens_total" + streamed + "3.0"));
        assertThat(sorted(text))
                .containsAll(sorted("sglang:num_requests_total" + streamed.replace("true", "false") + "0.0"));
        assertThat(sorted(text))
                .containsAll(
                        sorted("sglang:per_stage_req_latency_seconds_count{model_name=\"m\",engine_type=\"unified\","
                                + "stage=\"decode\",tp_rank=\"0\",pp_rank=\"0\",moe_ep_rank=\"0\",dp_rank=\"0\"} 1"));
        assertThat(text).doesNotContain("_max");
    }

    /** Lines with their labels in alphabetical order; Prometheus gives the order no meaning. */
    private static List<String> sorted(String text) {
        return text.lines()
                .map(line -> Arrays.stream(line.split("[{},]")).sorted().collect(Collectors.joining(",")))
                .toList();
    }

    private static double bucket(String text, String name, String le) {
        return text.lines()
                .filter(line -> line.startsWith(name + "_bucket") && line.contains("le=\"" + le + "\""))
                .mapToDouble(line -> Double.parseDouble(line.substring(line.lastIndexOf(' '))))
                .sum();
    }

    private static BatchStrOutput output(String rid, int completion, int newIds, FinishReason reason) {
        int[] one = {0};
        return new BatchStrOutput(
                new String[] {rid},
                null,
                new FinishReason[] {reason},
                new String[] {"x"},
                new int[][] {new int[newIds]},
                new int[] {3},
                new int[] {completion},
                one,
                one,
                one,
                null,
                null);
    }
}
