package dpserve.bench.live;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.Arrays;
import java.util.Map;
import java.util.TreeMap;

/**
 * The most requests held at once during a run, by the processes' own counts.
 *
 * @param perRank by dp_rank: running and waiting together, by the scheduler's count since the cache flush before the run
 * @param inFlight attempts in the controller's rid map since it was last empty; above the requests that clients had open by
 *     the end notices that were still on their way
 */
public record HeldPeaks(int[] perRank, int inFlight) {

    /**
     * Of a run's /server_info.
     *
     * @throws IllegalStateException if no rank tells its peak
     */
    public static HeldPeaks of(JsonNode serverInfo) {
        Map<Integer, Integer> ranks = new TreeMap<>();
        int inFlight = 0;
        JsonNode processes = serverInfo == null ? null : serverInfo.get("processes");
        if (processes != null) {
            for (JsonNode process : processes) {
                JsonNode counters = process.path("counters");
                if (counters.has("peak_reqs")) {
                    ranks.put(
                            process.path("index").asInt(),
                            counters.get("peak_reqs").asInt());
                }
                inFlight = Math.max(inFlight, counters.path("peak_in_flight").asInt());
            }
        }
        if (ranks.isEmpty()) {
            throw new IllegalStateException(
                    "/server_info tells no rank's peak_reqs: the server is not of this version");
        }
        return new HeldPeaks(ranks.values().stream().mapToInt(Integer::intValue).toArray(), inFlight);
    }

    /** The most that any rank held. */
    public int most() {
        return Arrays.stream(perRank).max().orElseThrow();
    }
}
