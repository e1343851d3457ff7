package dpserve.it;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** {@code /health} follows the ranks: a stopped rank makes it 503, its return 200 again. */
class HealthIT {
    private static final Duration SOON = Duration.ofSeconds(10);

    @Test
    void shouldFollowARankThatStopsAndReturns() {
        try (Topology topology = Topology.start("--time-scale", "0")) {
            Api api = topology.api();
            assertThat(api.get("/health").status()).isEqualTo(200);
            Signals.send("STOP", topology.rank(0).pid());
            try {
                await().atMost(SOON).until(() -> api.get("/health").status() == 503);
                assertThat(api.get("/health_generate").status()).isEqualTo(503);
            } finally {
                Signals.send("CONT", topology.rank(0).pid());
            }
            await().atMost(SOON).until(() -> api.get("/health").status() == 200);
            Api.Reply reply = api.post(
                    "/generate", Map.of("input_ids", new int[] {1}, "sampling_params", Map.of("max_new_tokens", 9)));
            assertThat(reply.json().get("text").asText())
                    .isEqualTo(Expected.of(new int[] {1}, 9).text());
        }
    }
}
