package dpserve.tokenizer.http;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dpserve.io.message.RankUp;
import dpserve.tokenizer.Control;
import dpserve.tokenizer.RankStates;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class SnapshotTest {
    private final RankStates ranks = new RankStates(3);

    private static Map<String, Object> rank(int dpRank, String state, long inFlight) {
        return Map.of(
                "dp_rank",
                (long) dpRank,
                "state",
                state,
                "in_flight_requests",
                inFlight,
                "unseen_requests",
                1L,
                "report_age_s",
                0.25);
    }

    private static Map<String, Object> controller() {
        Map<String, Object> state = new HashMap<>();
        state.put("role", "controller");
        state.put("load_balance_method", "least_requests");
        state.put("load_report", "piggyback");
        state.put("load_report_delay_ms", 0.0);
        state.put("ranks", List.of(rank(0, "up", 6), rank(1, "up", 2), rank(2, "draining", 9)));
        return state;
    }

    private static Map<String, Object> scheduler(int dpRank, long requests, long waiting) {
        Map<String, Object> load = Map.of(
                "num_reqs",
                requests,
                "num_waiting_reqs",
                waiting,
                "num_used_tokens",
                250L,
                "max_total_num_tokens",
                1000L,
                "gen_throughput",
                520.5,
                "cache_hit_rate",
                0.5);
        return Map.of("role", "scheduler", "index", dpRank, "load", load);
    }

    private static Map<String, Object> decision(List<Map<String, Object>> seen) {
        return Map.of("rid", "mine\u001f9.4.1", "at", 7.5, "dp_rank", 1L, "load_balance_method", "x", "ranks", seen);
    }

    private static Map<String, Object> seen(long rank, boolean live, Double score) {
        return score == null
                ? Map.of("dp_rank", rank, "live", live, "num_reqs", 4 + rank)
                : Map.of("dp_rank", rank, "live", live, "score", score);
    }

    private JsonNode snapshot(List<Map<String, Object>> states, List<Object> decisions, List<String> missing) {
        return Snapshot.of(new Control.States(states, missing), decisions, ranks, "m", 3.5);
    }

    @Test
    void shouldJoinWhatControllerAndRanksTell() {
        JsonNode s =
                snapshot(List.of(controller(), scheduler(0, 6, 2), scheduler(1, 0, 0)), List.of(), List.of("rank 2"));
        assertThat(s.get("load_balance_method").asText()).isEqualTo("least_requests");
        assertThat(s.get("unanswered").toString()).isEqualTo("[\"rank 2\"]");
        JsonNode first = s.get("ranks").get(0);
        assertThat(first.get("state").asText()).isEqualTo("up");
        assertThat(first.get("in_flight_reqs").asInt()).isEqualTo(6);
        assertThat(first.get("num_running_reqs").asInt()).isEqualTo(4);
        assertThat(first.get("num_waiting_reqs").asInt()).isEqualTo(2);
        assertThat(first.get("token_usage").asDouble()).isEqualTo(0.25);
        assertThat(first.get("cache_hit_rate").asDouble()).isEqualTo(0.5);
        assertThat(first.get("gen_throughput").asDouble()).isEqualTo(520.5);
        assertThat(first.get("load_age_s").asDouble()).isEqualTo(0.25);
        assertThat(first.get("unseen_reqs").asInt()).isEqualTo(1);
        assertThat(s.get("ranks").get(1).get("gen_throughput").asDouble())
                .as("an idle rank keeps its last figure")
                .isZero();
        JsonNode silent = s.get("ranks").get(2);
        assertThat(silent.get("state").asText()).isEqualTo("draining");
        assertThat(silent.get("num_running_reqs").isNull()).isTrue();
        assertThat(silent.get("token_usage").isNull()).isTrue();
    }

    @Test
    void shouldWeighBalanceOverTheRanksThatTakeRequests() {
        JsonNode totals = snapshot(List.of(controller(), scheduler(0, 6, 2)), List.of(), List.of())
                .get("totals");
        assertThat(totals.get("in_flight_reqs").asInt()).isEqualTo(17);
        assertThat(totals.get("balance_ratio").asDouble())
                .as("6 over the mean of 6 and 2")
                .isEqualTo(1.5);
        assertThat(totals.get("num_waiting_reqs").asInt()).isEqualTo(2);
        assertThat(totals.get("token_usage").asDouble()).isEqualTo(0.25);
    }

    @Test
    void shouldShowTheRanksLastHeardOfWithoutController() {
        ranks.onUp(new RankUp(1, 1, "", Map.of(), ""));
        JsonNode s = snapshot(List.of(scheduler(1, 3, 1)), List.of(), List.of("controller"));
        assertThat(s.get("ranks")).extracting(r -> r.get("state").asText()).containsExactly("down", "up", "down");
        assertThat(s.get("load_balance_method").isNull()).isTrue();
        assertThat(s.get("totals").get("in_flight_reqs").asInt()).isEqualTo(3);
        assertThat(s.get("ranks").get(1).get("in_flight_reqs").isNull()).isTrue();
        JsonNode empty = snapshot(List.of(), List.of(), List.of("controller"));
        assertThat(empty.get("totals").get("balance_ratio").isNull()).isTrue();
    }

    @Test
    void shouldSayWhyARankWasChosen() {
        List<Object> decisions = List.of(
                decision(List.of(seen(0, true, 5.0), seen(1, true, 3.25), seen(2, true, 4.0), seen(3, false, 1.0))),
                decision(List.of(seen(0, true, 5.0), seen(1, true, 5.0))),
                decision(List.of(seen(0, false, 5.0), seen(1, true, 2.0))),
                decision(List.of(seen(0, true, null), seen(1, true, null), seen(2, true, null))),
                decision(List.of()),
                "no decision");
        JsonNode shown = snapshot(List.of(), decisions, List.of()).get("decisions");
        assertThat(shown)
                .extracting(d -> d.get("reason").asText())
                .containsExactly(
                        "score 3.250, others 4 to 5",
                        "score 5, others 5",
                        "score 2, no other rank",
                        "no score, requests 5, others 4 to 6",
                        "no figures kept");
        assertThat(shown.get(0).get("rid").asText()).isEqualTo("mine");
        assertThat(shown.get(0).get("attempt").asInt()).isEqualTo(1);
    }
}
