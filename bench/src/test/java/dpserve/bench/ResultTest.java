package dpserve.bench;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dpserve.bench.metrics.BenchMetrics;
import dpserve.bench.metrics.CacheReport;
import dpserve.bench.metrics.ClientHealth;
import dpserve.bench.metrics.Goodput;
import dpserve.bench.metrics.Outcomes;
import dpserve.bench.metrics.RequestOutcome;
import dpserve.bench.metrics.RequestOutcome.Ending;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

class ResultTest {
    /** What upstream's table has for a text model, in its order; a name in brackets is a section. */
    private static final List<String> UPSTREAM_ROWS = List.of(
            "[Serving Benchmark Result]",
            "Backend:",
            "Traffic request rate:",
            "Max request concurrency:",
            "Successful requests:",
            "Benchmark duration (s):",
            "Total input tokens:",
            "Total input text tokens:",
            "Total generated tokens:",
            "Total generated tokens (retokenized):",
            "Request throughput (req/s):",
            "Input token throughput (tok/s):",
            "Output token throughput (tok/s):",
            "Peak output token throughput (tok/s):",
            "Peak concurrent requests:",
            "Total token throughput (tok/s):",
            "Concurrency:",
            "[End-to-End Latency]",
            "Mean E2E Latency (ms):",
            "Median E2E Latency (ms):",
            "P90 E2E Latency (ms):",
            "P95 E2E Latency (ms):",
            "P99 E2E Latency (ms):",
            "[Time to First Token]",
            "Mean TTFT (ms):",
            "Median TTFT (ms):",
            "P90 TTFT (ms):",
            "P95 TTFT (ms):",
            "P99 TTFT (ms):",
            "[Time per Output Token (excl. 1st token)]",
            "Mean TPOT (ms):",
            "Median TPOT (ms):",
            "P90 TPOT (ms):",
            "P95 TPOT (ms):",
            "P99 TPOT (ms):",
            "[Inter-Token Latency]",
            "Mean ITL (ms):",
            "Median ITL (ms):",
            "P90 ITL (ms):",
            "P95 ITL (ms):",
            "P99 ITL (ms):",
            "Max ITL (ms):");

    private static final List<String> UPSTREAM_KEYS =
            List.of(("tag backend dataset_name request_rate max_concurrency sharegpt_output_len random_input_len"
                            + " random_output_len random_range_ratio server_info duration completed total_input_tokens"
                            + " total_input_text_tokens total_input_vision_tokens total_output_tokens"
                            + " total_output_tokens_retokenized request_throughput input_throughput output_throughput"
                            + " total_throughput concurrency accept_length max_output_tokens_per_s"
                            + " max_concurrent_requests")
                    .split(" "));

    private static final List<String> UPSTREAM_DETAILS =
            List.of("input_lens", "output_lens", "ttfts", "itls", "generated_texts", "errors");

    private static final Pattern ROW = Pattern.compile("(.{40}) (.+)");
    private static final Pattern SECTION = Pattern.compile("[=-]+ ?([^=]+?) ?[=-]+");

    private static final List<RequestOutcome> OUTCOMES = List.of(
            Outcomes.ok(0, 0.0, 0.5, 1.5, 0.25, 0.25, 0.25, 0.25),
            Outcomes.ok(1, 0.2, 0.3, 2.1, 0.9, 0.9),
            Outcomes.failed(2, Ending.FAILED, "busy"));

    private static BenchResult result(String... flags) {
        BenchConfig config = BenchConfig.parse(flags);
        BenchMetrics metrics = BenchMetrics.of(OUTCOMES, 4.0, o -> 100, text -> 7);
        return new BenchResult(
                config,
                OUTCOMES,
                metrics,
                config.goodput.isEmpty() ? null : Goodput.of(OUTCOMES, config.slosMs(), 4.0),
                config.request.cacheReport ? CacheReport.of(OUTCOMES) : null,
                ClientHealth.of(new double[] {0.5}, 1, 2, 0.1, 8, 1500),
                null,
                null);
    }

    private static List<String> rows(String table) {
        List<String> rows = new ArrayList<>();
        for (String line : table.lines().toList()) {
            Matcher section = SECTION.matcher(line);
            Matcher row = ROW.matcher(line);
            if (section.matches()) {
                assertThat(line).hasSize(50);
                rows.add("[" + section.group(1) + "]");
            } else if (row.matches()) {
                rows.add(row.group(1).strip());
            } else {
                assertThat(line).isEqualTo("=".repeat(50));
            }
        }
        return rows;
    }

    @Test
    void shouldPrintUpstreamsTableRowForRow() {
        String table = result("--dataset-name", "random").table();

        assertThat(rows(table)).containsExactlyElementsOf(UPSTREAM_ROWS);
        assertThat(table.lines())
                .startsWith("============ Serving Benchmark Result ============")
                .contains("-----Time per Output Token (excl. 1st token)------")
                .contains("---------------Time to First Token----------------")
                .contains("Traffic request rate:                    inf       ")
                .contains("Max request concurrency:                 not set   ")
                .contains("Successful requests:                     2         ")
                .contains("Benchmark duration (s):                  4.00      ")
                .contains("Peak output token throughput (tok/s):    4.00      ")
                .contains("Mean TTFT (ms):                          400.00    ")
                .endsWith("=".repeat(50));
    }

    @Test
    void shouldAddRowsOnlyWhereAskedFor() {
        String table = result(
                        "--dataset-name",
                        "random",
                        "--request-rate",
                        "4",
                        "--max-concurrency",
                        "100",
                        "--cache-report",
                        "--goodput",
                        "ttft:450",
                        "e2el:2000.5")
                .table();

        assertThat(table.lines())
                .contains("Traffic request rate:                    4.0       ")
                .contains("Max request concurrency:                 100       ")
                .contains("SLOs (ms):                               ttft:450 e2el:2000.5")
                .contains("Request goodput (req/s):                 0.00      ")
                .contains("TTFT SLO attainment (%):                 33.33     ")
                .contains("Total cached tokens:                     8         ")
                .contains("Cache hit rate:                          40.0%");
        List<String> rows = rows(table);
        assertThat(rows.indexOf("[Goodput]")).isEqualTo(rows.indexOf("Concurrency:") + 1);
        assertThat(rows.indexOf("[Cache Hit Details]")).isEqualTo(rows.indexOf("Max ITL (ms):") + 1);
    }

    @Test
    void shouldWriteEveryKeyOfUpstreamsJsonLine() {
        ObjectNode line = ResultJson.of(result("--dataset-name", "random", "--tag", "night"));

        assertThat(line.properties().stream().map(Map.Entry::getKey)).containsAll(UPSTREAM_KEYS);
        for (String what : List.of("e2e_latency", "ttft", "tpot", "itl")) {
            for (String figure : List.of("mean", "median", "std", "p90", "p95", "p99")) {
                assertThat(line.path(figure + "_" + what + "_ms").isNumber()).isTrue();
            }
        }
        assertThat(line.path("tag").asText()).isEqualTo("night");
        assertThat(line.path("request_rate").asText()).isEqualTo("inf");
        assertThat(line.path("max_concurrency").isNull()).isTrue();
        assertThat(line.path("mean_ttft_ms").asDouble()).isEqualTo(400);
        assertThat(line.path("client").path("send_lag_p99_ms").asDouble()).isEqualTo(0.5);
        assertThat(line.has("itls")).isFalse();
        assertThat(line.has("goodput_slos_ms")).isFalse();
    }

    @Test
    void shouldWriteTheDetailsOfEveryRequest() throws Exception {
        ObjectNode line = ResultJson.of(
                result("--dataset-name", "random", "--output-details", "--goodput", "tpot:300", "--cache-report"));

        for (String key : UPSTREAM_DETAILS) {
            assertThat(line.path(key).size()).as(key).isEqualTo(3);
        }
        assertThat(line.path("output_lens").toString()).isEqualTo("[5,3,0]");
        assertThat(line.path("itls").path(0).toString()).isEqualTo("[0.25,0.25,0.25,0.25]");
        assertThat(line.path("errors").toString()).isEqualTo("[\"\",\"\",\"busy\"]");
        assertThat(line.path("slo_attainment_by_metric").path("tpot").asDouble())
                .isBetween(0.33, 0.34);
        assertThat(line.path("cache_report").path("cache_hit_rate_pct").asDouble())
                .isEqualTo(40);
        assertThat(new ObjectMapper().readTree(line.toString())).hasToString(line.toString());
    }

    @Test
    void shouldNameTheFileAsUpstreamDoes() {
        LocalDate day = LocalDate.of(2026, 3, 7);

        assertThat(ResultJson.fileName(BenchConfig.parse("--dataset-name", "random-ids", "--num-prompts", "5"), day))
                .isEqualTo("sglang_0307_5_1024_1024.jsonl");
        assertThat(ResultJson.fileName(
                        BenchConfig.parse("--dataset-name", "generated-shared-prefix", "--backend", "sglang-oai"), day))
                .isEqualTo("sglang-oai_0307_1000_generated-shared-prefix.jsonl");
        assertThat(ResultJson.fileName(BenchConfig.parse("--dataset-name", "random", "--output-file", "x"), day))
                .isEqualTo("x");
    }
}
