package dpserve.bench.live;

import com.fasterxml.jackson.databind.JsonNode;
import java.time.Instant;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** An event of /dashboard/events (docs/dashboard.md) as text: a table for a terminal, or lines for other programs. */
public final class TopTable {
    private static final DateTimeFormatter TIME = DateTimeFormatter.ofPattern("HH:mm:ss", Locale.ROOT);
    private static final String UNKNOWN = "-";
    private static final String ROW = "%4s  %-9s %9s %8s %7s %8s %8s %9s %9s %7s";
    private static final String HEADING = String.format(
            ROW, "rank", "state", "in flight", "running", "queued", "KV", "cache", "tokens/s", "load age", "unseen");

    /** Lines of a table that are neither a rank's nor a decision's. */
    private static final int FRAME_LINES = 7;

    private static final int DECISIONS = 5;

    private final ZoneId zone;

    /** @param zone of the times in tables; lines for programs are in UTC */
    public TopTable(ZoneId zone) {
        this.zone = zone;
    }

    /**
     * A table of at most so many lines: decisions give way first, then ranks, and what is left out is counted.
     *
     * @param lines height of the terminal
     */
    public List<String> table(JsonNode event, int lines) {
        List<String> all = new ArrayList<>();
        all.add("dpserve " + event.path("model").asText() + "  "
                + time(event.path("at").asDouble()) + "  " + policy(event));
        JsonNode totals = event.path("totals");
        all.add("in flight " + count(totals.path("in_flight_reqs")) + "  running "
                + count(totals.path("num_running_reqs")) + "  queued " + count(totals.path("num_waiting_reqs"))
                + "  tokens/s " + count(totals.path("gen_throughput")) + "  KV " + percent(totals.path("token_usage"))
                + "  balance " + decimal(totals.path("balance_ratio")));
        all.add(unanswered(event));
        all.add(HEADING);
        JsonNode ranks = event.path("ranks");
        int room = Math.max(1, lines - FRAME_LINES);
        int shown = Math.min(ranks.size(), room);
        for (int r = 0; r < shown; r++) {
            all.add(row(ranks.get(r)));
        }
        all.add(shown < ranks.size() ? "      and " + (ranks.size() - shown) + " more ranks" : "");
        JsonNode decisions = event.path("decisions");
        for (int d = 0; d < Math.min(Math.min(DECISIONS, room - shown), decisions.size()); d++) {
            all.add(decision(decisions.get(d)));
        }
        return all;
    }

    private static String policy(JsonNode event) {
        return event.path("load_balance_method").isTextual()
                ? event.path("load_balance_method").asText() + ", loads by "
                        + event.path("load_report").asText()
                : "no answer from the controller";
    }

    private static String unanswered(JsonNode event) {
        List<String> names = new ArrayList<>();
        event.path("unanswered").forEach(name -> names.add(name.asText()));
        return names.isEmpty() ? "" : "no answer from " + String.join(", ", names);
    }

    private static String row(JsonNode rank) {
        return String.format(
                ROW,
                rank.path("dp_rank").asText(),
                rank.path("state").asText(),
                count(rank.path("in_flight_reqs")),
                count(rank.path("num_running_reqs")),
                count(rank.path("num_waiting_reqs")),
                percent(rank.path("token_usage")),
                percent(rank.path("cache_hit_rate")),
                count(rank.path("gen_throughput")),
                age(rank.path("load_age_s")),
                count(rank.path("unseen_reqs")));
    }

    private String decision(JsonNode decision) {
        return time(decision.path("at").asDouble()) + "  rank "
                + decision.path("dp_rank").asText() + "  "
                + decision.path("load_balance_method").asText() + ": "
                + decision.path("reason").asText() + "  "
                + printable(decision.path("rid").asText());
    }

    /** A client chose it: no control character of it may reach the terminal. */
    private static String printable(String rid) {
        return rid.replaceAll("\\p{Cntrl}|[\\x{80}-\\x{9f}]", "?");
    }

    /** One line for the topology and one for each rank, in name=value pairs; a figure that nobody told is left out. */
    public List<String> lines(JsonNode event) {
        String at = Instant.ofEpochMilli((long) (event.path("at").asDouble() * 1000))
                .toString();
        List<String> all = new ArrayList<>();
        all.add(at + " topology" + pairs(event.path("totals")));
        for (JsonNode rank : event.path("ranks")) {
            all.add(at + pairs(rank));
        }
        return all;
    }

    private static String pairs(JsonNode figures) {
        StringBuilder text = new StringBuilder();
        figures.properties().forEach(figure -> {
            if (!figure.getValue().isNull()) {
                text.append(' ')
                        .append(figure.getKey())
                        .append('=')
                        .append(figure.getValue().asText());
            }
        });
        return text.toString();
    }

    private String time(double epochSeconds) {
        return TIME.format(Instant.ofEpochMilli((long) (epochSeconds * 1000)).atZone(zone));
    }

    private static String count(JsonNode value) {
        return value.isNumber() ? Long.toString(Math.round(value.asDouble())) : UNKNOWN;
    }

    private static String decimal(JsonNode value) {
        return value.isNumber() ? String.format(Locale.ROOT, "%.2f", value.asDouble()) : UNKNOWN;
    }

    private static String percent(JsonNode value) {
        return value.isNumber() ? String.format(Locale.ROOT, "%.1f %%", 100 * value.asDouble()) : UNKNOWN;
    }

    private static String age(JsonNode value) {
        if (!value.isNumber()) {
            return UNKNOWN;
        }
        double s = value.asDouble();
        return s < 1 ? Math.round(s * 1000) + " ms" : String.format(Locale.ROOT, "%.1f s", s);
    }
}
