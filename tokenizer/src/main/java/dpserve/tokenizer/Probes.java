package dpserve.tokenizer;

import dpserve.io.message.TokenizedGenerateReqInput;
import java.util.HashMap;
import java.util.Map;

/** Health probes on their way, by wire rid. */
final class Probes {
    private final Map<String, TokenizerManager.Probe> waiting = new HashMap<>();

    void add(String wireRid, TokenizerManager.Probe probe) {
        waiting.put(wireRid, probe);
    }

    void forget(String wireRid) {
        waiting.remove(wireRid);
    }

    /**
     * Tells a probe its answer.
     *
     * @return whether the rid is that of a probe; one given up on may still be answered, which is of no interest
     */
    boolean answer(String rid, boolean passed) {
        TokenizerManager.Probe probe = waiting.remove(rid);
        if (probe != null) {
            probe.onAnswer(passed);
        }
        return probe != null || TokenizedGenerateReqInput.isHealthCheck(rid);
    }

    int size() {
        return waiting.size();
    }
}
