package dpserve.tokenizer.http;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class RankGaugesTest {
    private final PrometheusText text = new PrometheusText();

    @Test
    void shouldTellARankThatIsUpFromOneThatIsDown() {
        Map<String, Object> up =
                Map.of("dp_rank", 0L, "live", true, "heartbeat_age_s", 0.125, "in_flight_requests", 7L);
        Map<String, Object> down = Map.of("dp_rank", 1L, "live", false, "in_flight_requests", 0L);
        RankGauges.add(text, Map.of("role", "controller", "ranks", List.of(up, down)));
        assertThat(text.render())
                .contains("dpserve_rank_up{dp_rank=\"0\"} 1")
                .contains("dpserve_rank_up{dp_rank=\"1\"} 0")
                .contains("dpserve_rank_heartbeat_age_seconds{dp_rank=\"0\"} 0.125")
                .doesNotContain("dpserve_rank_heartbeat_age_seconds{dp_rank=\"1\"}")
                .contains("dpserve_rank_in_flight_requests{dp_rank=\"0\"} 7")
                .contains("dpserve_rank_in_flight_requests{dp_rank=\"1\"} 0");
    }

    @Test
    void shouldPassOverProcessesWithoutRanks() {
        RankGauges.add(text, Map.of("role", "tokenizer", "ranks", "none"));
        assertThat(text.render()).isEmpty();
    }
}
