package dpserve.bench.live;

import dpserve.bench.BenchConfig;
import dpserve.bench.BenchResult;
import dpserve.bench.BenchServing;
import dpserve.bench.client.ControlCalls;
import dpserve.bench.dataset.DatasetRow;
import dpserve.io.model.Vocabulary;
import java.util.List;
import java.util.Map;

/**
 * One load on a running topology under one policy and report delay.
 *
 * @param method the policy
 * @param delayMs by which load reports were late, ms of modelled time
 */
public record LiveRun(String method, double delayMs, BenchResult result, HeldPeaks peaks) {

    /**
     * Sets policy and delay, empties the caches (which starts the peaks anew) and runs.
     *
     * @param config of the load; its flushCache is set
     * @param rows the workload, or null for the one that the config names
     * @throws IllegalStateException if the server refuses, is not there or tells no peaks
     */
    public static LiveRun measure(
            Vocabulary vocabulary, BenchConfig config, List<DatasetRow> rows, String method, double delayMs)
            throws InterruptedException {
        config.flushCache = true;
        new ControlCalls(config.base(), config.request.headers(Map.of())).loadBalance(method, delayMs);
        BenchResult result = new BenchServing(vocabulary, Map.of(), line -> {}, total -> done -> {}).measure(config);
        return new LiveRun(method, delayMs, result, HeldPeaks.of(result.serverInfo()));
    }

    /** Requests that got no whole and right reply: lost, wrong or doubled tokens, or refused. */
    public int bad() {
        return result.outcomes().size() - result.verify().correct();
    }
}
