package dpserve.it;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** What {@code /server_info} tells of the processes' tables. */
final class ServerInfo {
    private static final Duration DRAIN_TIMEOUT = Duration.ofSeconds(20);

    private ServerInfo() {}

    /** Waits until every table of every process is empty; fails with those that are not. */
    static void awaitEmpty(Api api) {
        await().atMost(DRAIN_TIMEOUT)
                .pollInterval(Duration.ofMillis(200))
                .untilAsserted(() -> assertThat(nonEmptyTables(api)).isEmpty());
    }

    /** The processes, as {@code /server_info} lists them. */
    static JsonNode processes(Api api) {
        Api.Reply reply = api.get("/server_info");
        assertThat(reply.status()).as(reply.body()).isEqualTo(200);
        return reply.json().get("processes");
    }

    private static List<String> nonEmptyTables(Api api) {
        List<String> found = new ArrayList<>();
        for (JsonNode process : processes(api)) {
            assertThat(process.get("tables")).as("tables of %s", process).isNotNull();
            process.get("tables").properties().forEach(table -> {
                if (table.getValue().asLong() != 0) {
                    found.add(process.get("role").asText() + " "
                            + process.path("index").asText() + ": " + table.getKey() + " = " + table.getValue());
                }
            });
        }
        return found;
    }
}
