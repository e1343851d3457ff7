package dpserve.bench;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dpserve.bench.metrics.BenchMetrics;
import dpserve.bench.metrics.Distribution;
import dpserve.bench.metrics.RequestOutcome;
import java.time.LocalDate;
import java.time.format.DateTimeFormatter;
import java.util.List;
import java.util.function.Function;

/**
 * The JSON line of a run: upstream's keys with upstream's meaning, behind them keys of our own (seed, max_itl_ms, verify,
 * client; in the details start_times, send_lags, rids, dp_ranks). An infinite request rate is the text "inf", because JSON
 * has no such number.
 */
public final class ResultJson {
    private static final ObjectMapper JSON =
            new ObjectMapper().setPropertyNamingStrategy(PropertyNamingStrategies.SNAKE_CASE);

    private ResultJson() {}

    /** The line, without --output-details' arrays unless the run asks for them. */
    public static ObjectNode of(BenchResult r) {
        BenchConfig c = r.config();
        BenchMetrics m = r.metrics();
        ObjectNode o = JSON.createObjectNode();
        o.put("tag", c.tag).put("backend", c.backend).put("dataset_name", c.dataset.name);
        if (c.load.useTraceTimestamps || Double.isInfinite(c.load.requestRate)) {
            o.put("request_rate", r.requestRate());
        } else {
            o.put("request_rate", c.load.requestRate);
        }
        o.put("max_concurrency", c.load.maxConcurrency);
        o.put("sharegpt_output_len", c.dataset.sharegptOutputLen);
        o.put("random_input_len", c.dataset.randomInputLen);
        o.put("random_output_len", c.dataset.randomOutputLen);
        o.put("random_range_ratio", c.dataset.randomRangeRatio);
        o.set("server_info", r.serverInfo());
        o.put("duration", m.durationS()).put("completed", m.completed());
        o.put("total_input_tokens", m.totalInput()).put("total_input_text_tokens", m.totalInput());
        o.put("total_input_vision_tokens", 0).put("total_output_tokens", m.totalOutput());
        o.put("total_output_tokens_retokenized", m.totalOutputRetokenized());
        o.put("request_throughput", m.requestThroughput()).put("input_throughput", m.inputThroughput());
        o.put("output_throughput", m.outputThroughput()).put("total_throughput", m.totalThroughput());
        latency(o, "e2e_latency", m.e2eMs());
        latency(o, "ttft", m.ttftMs());
        latency(o, "tpot", m.tpotMs());
        latency(o, "itl", m.itlMs());
        o.put("concurrency", m.concurrency()).put("accept_length", r.acceptLength());
        o.put("max_output_tokens_per_s", m.peakOutputTokensPerS());
        o.put("max_concurrent_requests", m.peakConcurrentRequests());
        if (r.goodput() != null) {
            o.set("goodput_slos_ms", JSON.valueToTree(r.goodput().slosMs()));
            o.put("request_goodput", r.goodput().requestGoodput());
            o.put("slo_attainment", r.goodput().attainment());
            o.set("slo_attainment_by_metric", JSON.valueToTree(r.goodput().attainmentByMetric()));
        }
        if (r.cache() != null) {
            o.putObject("cache_report")
                    .put("total_prompt_tokens", r.cache().promptTokens())
                    .put("total_cached_tokens", r.cache().cachedTokens())
                    .put("cache_hit_rate_pct", Math.round(r.cache().hitRatePercent() * 100) / 100.0);
        }
        o.put("seed", c.seed).put("max_itl_ms", m.itlMs().max());
        o.set("verify", JSON.valueToTree(r.verify()));
        o.set("client", JSON.valueToTree(r.client()));
        if (c.outputDetails) {
            details(o, r.outcomes());
        }
        return o;
    }

    private static void latency(ObjectNode o, String name, Distribution d) {
        o.put("mean_" + name + "_ms", d.mean()).put("median_" + name + "_ms", d.median());
        o.put("std_" + name + "_ms", d.std()).put("p90_" + name + "_ms", d.p90());
        o.put("p95_" + name + "_ms", d.p95()).put("p99_" + name + "_ms", d.p99());
    }

    private static void details(ObjectNode o, List<RequestOutcome> outcomes) {
        column(o, "input_lens", outcomes, RequestOutcome::promptLen);
        column(o, "output_lens", outcomes, r -> r.success() ? r.outputLen() : 0);
        column(o, "ttfts", outcomes, RequestOutcome::ttftS);
        column(o, "itls", outcomes, RequestOutcome::itlS);
        column(o, "generated_texts", outcomes, RequestOutcome::text);
        column(o, "errors", outcomes, RequestOutcome::problem);
        column(o, "cached_tokens", outcomes, RequestOutcome::cachedTokens);
        column(o, "start_times", outcomes, RequestOutcome::startS);
        column(o, "send_lags", outcomes, RequestOutcome::sendLagS);
        column(o, "latencies", outcomes, RequestOutcome::latencyS);
        column(o, "rids", outcomes, RequestOutcome::rid);
        column(o, "dp_ranks", outcomes, RequestOutcome::dpRank);
        column(o, "stages", outcomes, RequestOutcome::stagesS);
    }

    private static void column(
            ObjectNode o, String name, List<RequestOutcome> outcomes, Function<RequestOutcome, Object> value) {
        o.set(name, JSON.valueToTree(outcomes.stream().map(value).toList()));
    }

    /** The file's name if none is given: backend, date, number of prompts and lengths or dataset, as upstream makes it. */
    public static String fileName(BenchConfig c, LocalDate today) {
        if (c.outputFile != null) {
            return c.outputFile;
        }
        String what = c.dataset.name.startsWith("random")
                ? c.dataset.randomInputLen + "_" + c.dataset.randomOutputLen
                : c.dataset.name;
        return c.backend + "_" + today.format(DateTimeFormatter.ofPattern("MMdd")) + "_" + c.dataset.numPrompts + "_"
                + what + ".jsonl";
    }
}
