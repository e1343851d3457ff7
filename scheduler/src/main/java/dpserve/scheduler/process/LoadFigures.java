package dpserve.scheduler.process;

import dpserve.io.message.GetLoadReqOutput;
import java.util.LinkedHashMap;
import java.util.Map;

/** A load as a map, for a rank's internal_state. */
final class LoadFigures {
    private LoadFigures() {}

    static Map<String, Object> of(GetLoadReqOutput load) {
        Map<String, Object> figures = new LinkedHashMap<>();
        figures.put("num_reqs", (long) load.numReqs());
        figures.put("num_waiting_reqs", (long) load.numWaitingReqs());
        figures.put("num_tokens", (long) load.numTokens());
        figures.put("num_output_tokens", load.numOutputTokens());
        figures.put("num_used_tokens", (long) load.numUsedTokens());
        figures.put("max_total_num_tokens", (long) load.maxTotalNumTokens());
        figures.put("gen_throughput", load.genThroughput());
        figures.put("cache_hit_rate", load.cacheHitRate());
        figures.put("num_retracted", load.numRetracted());
        figures.put("seq", load.seq());
        return figures;
    }
}
