package dpserve.tokenizer.http;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dpserve.io.message.DrainRank;
import dpserve.io.message.RankStatus;
import dpserve.io.message.Role;
import dpserve.tokenizer.BadRequest;
import dpserve.tokenizer.Control;
import java.util.List;
import java.util.Map;

/**
 * {@code GET /ranks}: every rank as the controller sees it. {@code POST /ranks/N/drain} and {@code /undrain},
 * {@code DELETE /ranks/N}: whichever worker is asked, the controller decides. {@link ApiKeys} names these as admin calls.
 */
public final class RankEndpoints {
    private static final String PREFIX = "/ranks/";

    /** The controller answers within a millisecond unless it is gone. */
    private static final long LIMIT_NS = 2_000_000_000L;

    private static final int CONFLICT = 409;

    private final Control control;
    private final ReplyContext context;

    public RankEndpoints(Control control, ReplyContext context) {
        this.control = control;
        this.context = context;
    }

    /** Adds them to a router. */
    public void addTo(Router router) {
        router.add(List.of("GET", "HEAD"), "/ranks", (call, exchange) -> list(exchange));
        router.addPrefix(List.of("POST", "DELETE"), PREFIX, this::change);
    }

    private void list(Exchange exchange) {
        control.states(
                ServerInfo.ANSWER_LIMIT_NS,
                states -> {
                    for (Map<String, Object> state : states.states()) {
                        if (Role.CONTROLLER.wireName().equals(state.get("role"))) {
                            exchange.json(200, Exchange.JSON.valueToTree(state.get("ranks")));
                        }
                    }
                    if (!exchange.isDone()) {
                        silent(exchange);
                    }
                },
                context.nowNs());
    }

    private void change(HttpCall call, Exchange exchange) throws BadRequest {
        String[] parts = call.path().substring(PREFIX.length()).split("/", -1);
        boolean forget = call.method().equals("DELETE");
        String action = forget ? DrainRank.FORGET : parts[parts.length - 1];
        boolean known = forget
                ? parts.length == 1
                : parts.length == 2 && (action.equals(DrainRank.DRAIN) || action.equals(DrainRank.UNDRAIN));
        if (!known) {
            exchange.json(404, Exchange.JSON.createObjectNode().put("detail", "Not Found"));
            return;
        }
        control.changeRank(rank(parts[0]), action, LIMIT_NS, status -> answer(status, exchange), context.nowNs());
    }

    private static int rank(String text) throws BadRequest {
        try {
            return Integer.parseInt(text);
        } catch (NumberFormatException e) {
            throw new BadRequest("dp_rank", "dp_rank must be an integer.");
        }
    }

    private static void silent(Exchange exchange) {
        exchange.json(
                ErrorReplies.UNAVAILABLE,
                ErrorReplies.sglang("The controller did not answer; a change may still come about."));
    }

    private static void answer(RankStatus status, Exchange exchange) {
        if (status == null) {
            silent(exchange);
        } else if (!status.error().isEmpty()) {
            exchange.json(status.state().isEmpty() ? 404 : CONFLICT, ErrorReplies.sglang(status.error()));
        } else {
            ObjectNode body = Exchange.JSON.createObjectNode();
            body.put("dp_rank", status.dpRank());
            body.put("state", status.state());
            body.put("in_flight_requests", status.inFlightRequests());
            exchange.json(200, body);
        }
    }
}
