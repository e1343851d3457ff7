package dpserve.bench;

import com.fasterxml.jackson.databind.JsonNode;
import dpserve.bench.metrics.BenchMetrics;
import dpserve.bench.metrics.CacheReport;
import dpserve.bench.metrics.ClientHealth;
import dpserve.bench.metrics.Goodput;
import dpserve.bench.metrics.RequestOutcome;
import dpserve.bench.metrics.ResultTable;
import dpserve.bench.metrics.VerifyReport;
import java.util.List;

/**
 * Everything a run gave.
 *
 * @param outcomes every request, in the dataset's order
 * @param goodput null without objectives
 * @param cache null unless asked for
 * @param verify null unless asked for
 * @param serverInfo what /server_info said after the run; null if nothing
 */
public record BenchResult(
        BenchConfig config,
        List<RequestOutcome> outcomes,
        BenchMetrics metrics,
        Goodput goodput,
        CacheReport cache,
        ClientHealth client,
        VerifyReport verify,
        JsonNode serverInfo) {

    /** The rate as the table and the JSON line name it. */
    public String requestRate() {
        return config.load.useTraceTimestamps ? "trace" : ResultTable.rate(config.load.requestRate);
    }

    /** Accept length of speculative decoding as the server tells it; null without one. */
    public Double acceptLength() {
        if (serverInfo == null) {
            return null;
        }
        JsonNode length = serverInfo.path("internal_states").path(0).path("avg_spec_accept_length");
        return length.isNumber() ? length.asDouble() : null;
    }

    /** The table. */
    public String table() {
        return ResultTable.format(
                config.backend, requestRate(), config.load.maxConcurrency, metrics, acceptLength(), goodput, cache);
    }

    /** Whether there is a reply, and none is wrong, lost or doubled as far as was checked. */
    public boolean isGood() {
        return metrics.completed() > 0 && (verify == null || verify.clean());
    }
}
