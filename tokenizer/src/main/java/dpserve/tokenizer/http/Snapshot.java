package dpserve.tokenizer.http;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dpserve.io.message.Role;
import dpserve.tokenizer.Control;
import dpserve.tokenizer.RankStates;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * The whole topology at one moment as JSON, for the live page and the terminal. A figure that nobody told is null: ranks
 * that are SGLang's own tell nothing, and a controller that is gone leaves the ranks as they were last heard of.
 */
final class Snapshot {
    private static final List<String> UP = List.of("up", "legacy");

    private final Map<Integer, Map<?, ?>> loads = new TreeMap<>();
    private final Map<Integer, Map<?, ?>> views = new TreeMap<>();
    private Map<?, ?> controller = Map.of();

    private Snapshot(Control.States states) {
        for (Map<String, Object> state : states.states()) {
            Object role = state.get("role");
            if (Role.SCHEDULER.wireName().equals(role)
                    && state.get("index") instanceof Number index
                    && state.get("load") instanceof Map<?, ?> load) {
                loads.put(index.intValue(), load);
            } else if (Role.CONTROLLER.wireName().equals(role)) {
                controller = state;
            }
        }
        if (controller.get("ranks") instanceof Collection<?> ranks) {
            for (Object entry : ranks) {
                if (entry instanceof Map<?, ?> rank && rank.get("dp_rank") instanceof Number dpRank) {
                    views.put(dpRank.intValue(), rank);
                }
            }
        }
    }

    /**
     * @param decisions the controller's newest, in its own form
     * @param epochSeconds now
     */
    static ObjectNode of(
            Control.States states, List<Object> decisions, RankStates ranks, String model, double epochSeconds) {
        return new Snapshot(states).build(states, decisions, ranks, model, epochSeconds);
    }

    private ObjectNode build(
            Control.States states, List<Object> decisions, RankStates ranks, String model, double epochSeconds) {
        ObjectNode body = Exchange.JSON.createObjectNode();
        body.put("at", epochSeconds);
        body.put("model", model);
        for (String name : List.of("load_balance_method", "load_report", "load_report_delay_ms")) {
            body.set(name, Exchange.JSON.valueToTree(controller.get(name)));
        }
        List<RankRow> rows = rows(ranks);
        body.set("totals", totals(rows));
        ArrayNode list = body.putArray("ranks");
        rows.forEach(row -> list.add(row.json()));
        ArrayNode chosen = body.putArray("decisions");
        decisions.forEach(decision -> DecisionJson.add(chosen, decision));
        states.missing().forEach(body.putArray("unanswered")::add);
        return body;
    }

    private List<RankRow> rows(RankStates ranks) {
        Map<Integer, String> names = new TreeMap<>(ranks.all());
        views.forEach((rank, view) -> names.put(rank, String.valueOf(view.get("state"))));
        List<RankRow> rows = new ArrayList<>();
        names.forEach((rank, state) -> rows.add(
                new RankRow(rank, state, views.getOrDefault(rank, Map.of()), loads.getOrDefault(rank, Map.of()))));
        return rows;
    }

    /** Sums over the ranks, and how evenly the requests lie on those that take some. */
    private static ObjectNode totals(List<RankRow> rows) {
        ObjectNode totals = Exchange.JSON.createObjectNode();
        double capacity =
                rows.stream().mapToDouble(r -> r.load("max_total_num_tokens")).sum();
        totals.put("num_running_reqs", (long)
                rows.stream().mapToDouble(RankRow::running).sum());
        totals.put("num_waiting_reqs", (long)
                rows.stream().mapToDouble(r -> r.load("num_waiting_reqs")).sum());
        totals.put("in_flight_reqs", (long)
                rows.stream().mapToDouble(RankRow::held).sum());
        totals.put(
                "gen_throughput",
                rounded(rows.stream().mapToDouble(RankRow::throughput).sum()));
        totals.put(
                "token_usage",
                capacity == 0
                        ? 0
                        : rounded(rows.stream()
                                        .mapToDouble(r -> r.load("num_used_tokens"))
                                        .sum()
                                / capacity));
        totals.put("balance_ratio", balanceRatio(rows));
        return totals;
    }

    /** The most requests that a rank holds over the mean of all that take requests: 1 is even; null without requests. */
    private static Double balanceRatio(List<RankRow> rows) {
        double[] held = rows.stream()
                .filter(r -> UP.contains(r.state()))
                .mapToDouble(RankRow::held)
                .toArray();
        double most = 0;
        double sum = 0;
        for (double requests : held) {
            most = Math.max(most, requests);
            sum += requests;
        }
        return sum == 0 ? null : Double.valueOf(rounded(most * held.length / sum));
    }

    private static double rounded(double value) {
        return Math.round(value * 1e4) / 1e4;
    }

    /**
     * What is known of a rank.
     *
     * @param view the controller's, empty if it did not answer
     * @param load the rank's own, empty if it did not answer
     */
    private record RankRow(int dpRank, String state, Map<?, ?> view, Map<?, ?> load) {
        double load(String name) {
            return load.get(name) instanceof Number number ? number.doubleValue() : 0;
        }

        double running() {
            return load("num_reqs") - load("num_waiting_reqs");
        }

        /** The controller's count is exact at any moment; the rank's own is what remains without it. */
        double held() {
            return view.get("in_flight_requests") instanceof Number n ? n.doubleValue() : load("num_reqs");
        }

        /** A rank measures it over its last steps and keeps it when it has none left to do. */
        double throughput() {
            return running() == 0 ? 0 : load("gen_throughput");
        }

        ObjectNode json() {
            ObjectNode json = Exchange.JSON.createObjectNode();
            json.put("dp_rank", dpRank);
            json.put("state", state);
            Map<String, Object> figures = new LinkedHashMap<>();
            figures.put("in_flight_reqs", view.get("in_flight_requests"));
            figures.put("unseen_reqs", view.get("unseen_requests"));
            figures.put("load_age_s", view.get("report_age_s"));
            figures.put("heartbeat_age_s", view.get("heartbeat_age_s"));
            boolean told = !load.isEmpty();
            figures.put("num_running_reqs", told ? (long) running() : null);
            figures.put("num_waiting_reqs", load.get("num_waiting_reqs"));
            figures.put("num_used_tokens", load.get("num_used_tokens"));
            figures.put("max_total_num_tokens", load.get("max_total_num_tokens"));
            double capacity = load("max_total_num_tokens");
            figures.put("token_usage", capacity == 0 ? null : rounded(load("num_used_tokens") / capacity));
            figures.put("gen_throughput", told ? rounded(throughput()) : null);
            figures.put("cache_hit_rate", told ? rounded(load("cache_hit_rate")) : null);
            figures.put("num_retracted_reqs", load.get("num_retracted"));
            figures.forEach((name, value) -> json.set(name, Exchange.JSON.valueToTree(value)));
            return json;
        }
    }
}
