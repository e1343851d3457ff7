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

    /** The chosen rank's score beside those of the other live ranks; the least wins unless the request was bound to a rank. */
    private static String reason(JsonNode decision) {
        JsonNode score = null;
        double least = Double.POSITIVE_INFINITY;
        double most = Double.NEGATIVE_INFINITY;
        for (JsonNode rank : decision.path("ranks")) {
            if (rank.path("dp_rank").asInt() == decision.path("dp_rank").asInt()) {
                score = rank.get("score");
            } else if (rank.path("live").asBoolean() && rank.has("score")) {
                least = Math.min(least, rank.get("score").asDouble());
                most = Math.max(most, rank.get("score").asDouble());
            }
        }
        if (score == null) {
            return "weighs no loads";
        }
        String own = "score " + text(score.asDouble());
        if (least > most) {
            return own + ", no other rank";
        }
        String others = least == most ? text(least) : text(least) + " to " + text(most);
        return own + ", others " + others;
    }

    private static String text(double score) {
        return score == Math.rint(score) && Math.abs(score) < 1e15
                ? Long.toString((long) score)
                : String.format(Locale.ROOT, "%.4g", score);
    }
}
