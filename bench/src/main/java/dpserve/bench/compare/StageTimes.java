package dpserve.bench.compare;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Where the time of a run's requests went, as the server says ({@code stages} of --output-details), against the wall time
 * that the client measured from sending to the last event.
 *
 * @param meanMs mean of each stage over the completed requests, modelled milliseconds
 * @param wallMs mean wall time of a request, modelled milliseconds
 */
record StageTimes(Map<String, Double> meanMs, double wallMs) {

    static StageTimes of(JsonNode result, double timeScale) {
        Map<String, Double> sums = new LinkedHashMap<>();
        double wall = 0;
        int count = 0;
        for (int i = 0; i < result.path("stages").size(); i++) {
            JsonNode stages = result.path("stages").get(i);
            if (stages.isEmpty()) {
                continue;
            }
            count++;
            wall += result.path("latencies").get(i).asDouble()
                    - result.path("send_lags").get(i).asDouble();
            stages.properties().forEach(s -> sums.merge(s.getKey(), s.getValue().asDouble(), Double::sum));
        }
        double toMs = 1e3 / timeScale / Math.max(1, count);
        sums.replaceAll((stage, sum) -> sum * toMs);
        return new StageTimes(sums, wall * toMs);
    }

    /** Share of the wall time that the stages explain; the rest is the client's and the network's. */
    double explained() {
        return meanMs.values().stream().mapToDouble(Double::doubleValue).sum() / wallMs;
    }
}
