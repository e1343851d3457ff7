package dpserve.bench.live;

import com.fasterxml.jackson.databind.JsonNode;
import dpserve.bench.BenchConfig;
import dpserve.bench.BenchResult;
import dpserve.bench.BenchServing;
import dpserve.bench.client.ControlCalls;
import dpserve.bench.client.ServerInfo;
import dpserve.bench.dataset.DatasetRow;
import dpserve.io.model.Vocabulary;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * One load on a running topology under one policy.
 *
 * @param method the policy
 */
public record LiveRun(String method, BenchResult result, HeldPeaks peaks) {

    /**
     * Sets policy and delay, empties the caches (which starts the peaks anew) and runs.
     *
     * @param config of the load; its flushCache is set
     * @param rows the workload, or null for the one that the config names
     * @param delayMs by which load reports are late, ms of modelled time
     * @throws IllegalStateException if the server refuses, is not there or tells no peaks
     */
    public static LiveRun measure(
            Vocabulary vocabulary, BenchConfig config, List<DatasetRow> rows, String method, double delayMs)
            throws InterruptedException {
        config.flushCache = true;
        new ControlCalls(config.base(), config.request.headers(Map.of())).loadBalance(method, delayMs);
        BenchServing bench = new BenchServing(vocabulary, Map.of(), line -> {}, total -> done -> {});
        BenchResult result = rows == null ? bench.measure(config) : bench.measure(config, rows);
        return new LiveRun(method, result, HeldPeaks.of(result.serverInfo()));
    }

    /** What kept this machine from playing its part in time, so that no latency means anything; null if nothing did. */
    public String limit() {
        JsonNode info = result.serverInfo();
        long overruns = ServerInfo.counter(info, "step_overruns");
        long steps = ServerInfo.counter(info, "prefill_batches") + ServerInfo.counter(info, "decode_steps");
        return overruns > ServerInfo.MOST_OVERRUNS * steps
                ? String.format(Locale.ROOT, "%.1f %% of all steps so far ended late", 100.0 * overruns / steps)
                : result.client().limit();
    }

    /** Requests that got no whole and right reply: lost, wrong or doubled tokens, or refused. */
    public int bad() {
        return result.outcomes().size() - result.verify().correct();
    }
}
