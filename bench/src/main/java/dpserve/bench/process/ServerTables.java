package dpserve.bench.process;

import com.fasterxml.jackson.databind.JsonNode;

/** The tables that the processes tell of in {@code /server_info}: what they hold about requests under way. */
final class ServerTables {
    private ServerTables() {}

    /** Whether nothing is under way in any process that answered. */
    static boolean isEmpty(JsonNode serverInfo) {
        long entries = 0;
        for (JsonNode process : serverInfo.path("processes")) {
            for (JsonNode table : process.path("tables")) {
                entries += table.asLong();
            }
        }
        return entries == 0;
    }
}
