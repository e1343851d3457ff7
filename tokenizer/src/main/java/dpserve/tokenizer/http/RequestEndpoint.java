package dpserve.tokenizer.http;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dpserve.io.WireRid;
import dpserve.tokenizer.BadRequest;
import dpserve.tokenizer.Control;
import dpserve.tokenizer.RequestLog;
import dpserve.tokenizer.TokenizerManager;
import io.netty.handler.codec.http.QueryStringDecoder;
import java.util.List;
import java.util.Map;

/**
 * {@code GET /requests/{rid}}: what became of a request, whichever worker owns it: outcome, attempts, rank and stage times
 * of each sequence, and what the controller saw when it chose. Known are those that run and the last of each process.
 */
public final class RequestEndpoint {
    private static final String PATH = "/requests/";

    private final Control control;
    private final TokenizerManager manager;
    private final ReplyContext context;

    public RequestEndpoint(Control control, TokenizerManager manager, ReplyContext context) {
        this.control = control;
        this.manager = manager;
        this.context = context;
    }

    /** Adds it to a router. */
    public void addTo(Router router) {
        router.addPrefix(List.of("GET", "HEAD"), PATH, this::handle);
    }

    private void handle(HttpCall call, Exchange exchange) throws BadRequest {
        String rid;
        try {
            rid = QueryStringDecoder.decodeComponent(call.path().substring(PATH.length()));
        } catch (IllegalArgumentException e) {
            throw new BadRequest(null, "The rid in the path is not valid: " + e.getMessage());
        }
        if (rid.isEmpty()) {
            throw new BadRequest(null, "The path must be /requests/{rid}.");
        }
        control.find(
                rid,
                manager.find(rid, context.nowNs()),
                ServerInfo.ANSWER_LIMIT_NS,
                found -> answer(rid, found, exchange),
                context.nowNs());
    }

    private static void answer(String rid, Control.Found found, Exchange exchange) {
        if (found.sequences().isEmpty() && found.decisions().isEmpty()) {
            String missing =
                    found.missing().isEmpty() ? "" : " No answer from " + String.join(", ", found.missing()) + ".";
            exchange.json(
                    404,
                    ErrorReplies.sglang("No request with this rid runs, or is among the last " + RequestLog.SIZE
                            + " that ended." + missing));
            return;
        }
        ObjectNode body = Exchange.JSON.createObjectNode();
        body.put("rid", rid);
        body.set("sequences", Exchange.JSON.valueToTree(found.sequences()));
        ArrayNode decisions = body.putArray("decisions");
        for (Object decision : found.decisions()) {
            ObjectNode d = Exchange.JSON.valueToTree(decision);
            WireRid wireRid = decision instanceof Map<?, ?> map ? WireRid.parse(String.valueOf(map.get("rid"))) : null;
            d.remove("rid"); // holds an unprintable character and says no more than these two
            if (wireRid != null) {
                d.put("sequence", wireRid.n());
                d.put("attempt", wireRid.attempt());
            }
            decisions.add(d);
        }
        body.put("truncated", found.truncated());
        ArrayNode unanswered = body.putArray("unanswered");
        found.missing().forEach(unanswered::add);
        exchange.json(200, body);
    }
}
