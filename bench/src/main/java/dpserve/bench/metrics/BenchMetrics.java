package dpserve.bench.metrics;

import java.util.List;
import java.util.function.ToDoubleFunction;
import java.util.function.ToIntFunction;

/**
 * The figures of a run, each defined as upstream defines it. Latencies in milliseconds; only successful requests count.
 *
 * @param durationS from the first request's intended send to the last reply's end, seconds
 * @param totalInput tokens of the prompts, as the dataset states them
 * @param totalOutputRetokenized tokens of the generated texts, encoded anew
 * @param concurrency sum of all latencies / duration: mean requests in flight
 * @param peakOutputTokensPerS most tokens in one second, seconds counted from the first start
 * @param peakConcurrentRequests most requests that touch one such second
 */
public record BenchMetrics(
        double durationS,
        int completed,
        long totalInput,
        long totalOutput,
        long totalOutputRetokenized,
        double requestThroughput,
        double inputThroughput,
        double outputThroughput,
        double totalThroughput,
        double peakOutputTokensPerS,
        int peakConcurrentRequests,
        double concurrency,
        Distribution e2eMs,
        Distribution ttftMs,
        Distribution tpotMs,
        Distribution itlMs) {

    /**
     * @param nominalPromptLen tokens of the prompt of an outcome's row, as the dataset states them
     * @param retokenizedLen tokens of a generated text
     */
    public static BenchMetrics of(
            List<RequestOutcome> outcomes,
            double durationS,
            ToIntFunction<RequestOutcome> nominalPromptLen,
            ToIntFunction<String> retokenizedLen) {
        List<RequestOutcome> ok =
                outcomes.stream().filter(RequestOutcome::success).toList();
        long in = ok.stream().mapToLong(nominalPromptLen::applyAsInt).sum();
        long out = ok.stream().mapToLong(RequestOutcome::outputLen).sum();
        long retokenized =
                ok.stream().mapToLong(o -> retokenizedLen.applyAsInt(o.text())).sum();
        double latencies = ok.stream().mapToDouble(RequestOutcome::latencyS).sum();
        PerSecond seconds = PerSecond.of(ok);
        return new BenchMetrics(
                durationS,
                ok.size(),
                in,
                out,
                retokenized,
                ok.size() / durationS,
                in / durationS,
                out / durationS,
                (in + out) / durationS,
                seconds.peakTokens(),
                seconds.peakRequests(),
                latencies / durationS,
                millis(ok, RequestOutcome::latencyS),
                millis(ok, RequestOutcome::ttftS),
                millis(ok.stream().filter(o -> o.outputLen() > 1).toList(), RequestOutcome::tpotS),
                Distribution.of(
                        ok.stream()
                                .map(RequestOutcome::itlS)
                                .flatMapToDouble(java.util.Arrays::stream)
                                .toArray(),
                        1e3));
    }

    private static Distribution millis(List<RequestOutcome> outcomes, ToDoubleFunction<RequestOutcome> seconds) {
        return Distribution.of(outcomes.stream().mapToDouble(seconds).toArray(), 1e3);
    }
}
