package dpserve.bench.client;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** What the processes tell of themselves in {@code /server_info}. */
public final class ServerInfo {
    /** With more steps than this share over their modelled time, the times are the machine's, not the model's. */
    public static final double MOST_OVERRUNS = 0.01;

    private static final long POLL_MS = 200;

    private ServerInfo() {}

    /** The pids, by role and index as in {@code scheduler 0}. */
    public static Map<String, Long> pids(JsonNode info) {
        Map<String, Long> pids = new TreeMap<>();
        for (JsonNode process : info.path("processes")) {
            pids.put(name(process), process.path("pid").asLong());
        }
        return pids;
    }

    /** The sum of a counter over all processes. */
    public static long counter(JsonNode info, String name) {
        long sum = 0;
        for (JsonNode process : info.path("processes")) {
            sum += process.path("counters").path(name).asLong();
        }
        return sum;
    }

    /**
     * Waits until the tables, in which processes hold what is under way, are empty: ends are still on their way when the last
     * reply is here.
     *
     * @return what is in them at the limit: process, table and count of each
     */
    public static List<String> awaitEmpty(ControlCalls calls, long limitMs) throws InterruptedException {
        long deadline = System.nanoTime() + limitMs * 1_000_000;
        List<String> left;
        do {
            JsonNode info = calls.serverInfo();
            left = info == null ? List.of("/server_info does not answer") : nonEmpty(info);
            if (left.isEmpty()) {
                return left;
            }
            Thread.sleep(POLL_MS);
        } while (System.nanoTime() - deadline < 0);
        return left;
    }

    private static List<String> nonEmpty(JsonNode info) {
        List<String> found = new ArrayList<>();
        for (JsonNode process : info.path("processes")) {
            process.path("tables").properties().forEach(table -> {
                if (table.getValue().asLong() != 0) {
                    found.add(name(process) + ": " + table.getKey() + " = " + table.getValue());
                }
            });
        }
        return found;
    }

    private static String name(JsonNode process) {
        return process.path("role").asText() + " " + process.path("index").asText();
    }
}
