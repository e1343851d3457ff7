package dpserve.bench.process;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;

/** The tables that the processes tell of in {@code /server_info}: what they hold about requests under way. */
final class ServerTables {
    private ServerTables() {}

    /** Whether nothing is under way in any process that answered. */
    static boolean isEmpty(JsonNode serverInfo) {
        return nonEmpty(serverInfo).isEmpty();
    }

    /** What is under way: process, table and count of each. */
    static List<String> nonEmpty(JsonNode serverInfo) {
        List<String> found = new ArrayList<>();
        for (JsonNode process : serverInfo.path("processes")) {
            process.path("tables").properties().forEach(table -> {
                if (table.getValue().asLong() != 0) {
                    found.add(process.path("role").asText() + " "
                            + process.path("index").asText() + ": " + table.getKey() + " = " + table.getValue());
                }
            });
        }
        return found;
    }
}
