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
        return map;
    }
}
