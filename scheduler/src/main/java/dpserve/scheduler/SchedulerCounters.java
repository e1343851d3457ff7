package dpserve.scheduler;

import java.util.LinkedHashMap;
import java.util.Map;

/** What happened on this rank so far, over all its incarnations in this process. */
final class SchedulerCounters {
    long prefillBatches;
    long decodeSteps;
    long duplicateRids;
    long unknownAborts;
    long abortedReqs;
    long queueFull;
    long badInputs;
    long retractedReqs;
    long healthProbes;
    long selfCheckFailures;

    /** Requests whose other half failed or stayed away. */
    long failedPairs;

    /** Transfers whose bytes were not those of the prompt. */
    long kvMismatches;

    /** Tokens whose KV came from a prefill rank. */
    long kvTransferredTokens;

    /** Most requests held at once, running and waiting, since the start or the last cache flush. */
    long peakReqs;

    Map<String, Object> toMap() {
        Map<String, Object> map = new LinkedHashMap<>();
        map.put("prefill_batches", prefillBatches);
        map.put("decode_steps", decodeSteps);
        map.put("duplicate_rids", duplicateRids);
        map.put("unknown_aborts", unknownAborts);
        map.put("aborted_reqs", abortedReqs);
        map.put("queue_full_reqs", queueFull);
        map.put("bad_input_reqs", badInputs);
        map.put("retracted_reqs", retractedReqs);
        map.put("health_probes", healthProbes);
        map.put("self_check_failures", selfCheckFailures);
        map.put("peak_reqs", peakReqs);
        map.put("failed_pairs", failedPairs);
        map.put("kv_mismatches", kvMismatches);
        map.put("kv_transferred_tokens", kvTransferredTokens);
        return map;
    }
}
