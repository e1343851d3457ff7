package dpserve.tokenizer.http;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dpserve.io.WireRid;
import java.util.Locale;

/** A decision of the controller for people: the user's rid instead of the wire rid, and the reason in words. */
final class DecisionJson {
    private DecisionJson() {}

    /** Adds it; what is no decision is left out. */
    static void add(ArrayNode list, Object decision) {
        if (Exchange.JSON.valueToTree(decision) instanceof ObjectNode d) {
            WireRid wireRid = WireRid.parse(d.path("rid").asText());
            if (wireRid != null) {
                d.put("rid", wireRid.userRid());
                d.put("sequence", wireRid.n());
                d.put("attempt", wireRid.attempt());
            }
            d.put("reason", reason(d));
            list.add(d);
        }
    }

    /**
     * The chosen rank's score beside those of the other live ranks: the least wins unless the request was bound to a rank.
     * Of a policy that gives no score (one in turn, or one that plans ahead) the requests that the controller counted.
     */
    private static String reason(JsonNode decision) {
        String scores = compared(decision, "score");
        if (scores != null) {
            return "score " + scores;
        }
        String requests = compared(decision, "num_reqs");
        return requests == null ? "no figures kept" : "no score, requests " + requests;
    }

    /** A figure of the chosen rank and of the others; null if the chosen rank has none. */
    private static String compared(JsonNode decision, String figure) {
        JsonNode own = null;
        double least = Double.POSITIVE_INFINITY;
        double most = Double.NEGATIVE_INFINITY;
        for (JsonNode rank : decision.path("ranks")) {
            if (rank.path("dp_rank").asInt() == decision.path("dp_rank").asInt()) {
                own = rank.get(figure);
            } else if (rank.path("live").asBoolean() && rank.has(figure)) {
                least = Math.min(least, rank.get(figure).asDouble());
                most = Math.max(most, rank.get(figure).asDouble());
            }
        }
        if (own == null) {
            return null;
        }
        if (least > most) {
            return text(own.asDouble()) + ", no other rank";
        }
        String others = least == most ? text(least) : text(least) + " to " + text(most);
        return text(own.asDouble()) + ", others " + others;
    }

    private static String text(double value) {
        return value == Math.rint(value) && Math.abs(value) < 1e15
                ? Long.toString((long) value)
                : String.format(Locale.ROOT, "%.4g", value);
    }
}
