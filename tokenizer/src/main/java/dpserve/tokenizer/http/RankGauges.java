package dpserve.tokenizer.http;

import java.util.Collection;
import java.util.Map;

/**
 * What the controller knows of each rank's life, as Prometheus metrics. The controller's answer to GetInternalStateReq
 * names every slot in {@code ranks}; no other process knows the age of a heartbeat.
 */
final class RankGauges {
    private RankGauges() {}

    /** Adds the ranks of a process's internal state; none for any process but the controller. */
    static void add(PrometheusText text, Map<String, Object> state) {
        if (state.get("ranks") instanceof Collection<?> ranks) {
            for (Object entry : ranks) {
                if (entry instanceof Map<?, ?> rank) {
                    addRank(text, rank);
                }
            }
        }
    }

    private static void addRank(PrometheusText text, Map<?, ?> rank) {
        String dpRank = String.valueOf(rank.get("dp_rank"));
        text.sample(
                "dpserve_rank_up",
                "gauge",
                "1 while the rank takes requests.",
                Boolean.TRUE.equals(rank.get("live")) ? 1 : 0,
                "dp_rank",
                dpRank);
        text.sample(
                "dpserve_rank_state",
                "gauge",
                "1 for the state that the rank is in: absent, up, draining, drained, dead or legacy.",
                1,
                "dp_rank",
                dpRank,
                "state",
                String.valueOf(rank.get("state")));
        // A rank that is down has no heartbeat to be young or old.
        if (rank.get("heartbeat_age_s") instanceof Number age) {
            text.sample(
                    "dpserve_rank_heartbeat_age_seconds",
                    "gauge",
                    "Since the rank's newest heartbeat.",
                    age.doubleValue(),
                    "dp_rank",
                    dpRank);
        }
        if (rank.get("in_flight_requests") instanceof Number requests) {
            text.sample(
                    "dpserve_rank_in_flight_requests",
                    "gauge",
                    "Requests sent to the rank that have not ended, by the controller's own account.",
                    requests.doubleValue(),
                    "dp_rank",
                    dpRank);
        }
    }
}
