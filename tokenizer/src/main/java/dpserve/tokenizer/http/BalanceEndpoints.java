package dpserve.tokenizer.http;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dpserve.io.message.LoadBalanceState;
import dpserve.tokenizer.BadRequest;
import dpserve.tokenizer.Control;
import dpserve.tokenizer.Fields;
import java.util.List;

/**
 * {@code GET /load_balance}: how the controller balances. {@code PUT /load_balance} with any of method, report and
 * delay_ms changes it for the running topology, whichever worker is asked; no request is lost by it.
 */
public final class BalanceEndpoints {
    /** The controller answers within a millisecond unless it is gone. */
    private static final long LIMIT_NS = 2_000_000_000L;

    private final Control control;
    private final ReplyContext context;

    public BalanceEndpoints(Control control, ReplyContext context) {
        this.control = control;
        this.context = context;
    }

    /** Adds them to a router. */
    public void addTo(Router router) {
        router.add(List.of("GET", "HEAD", "PUT"), "/load_balance", this::handle);
    }

    private void handle(HttpCall call, Exchange exchange) throws BadRequest {
        if (!"PUT".equals(call.method())) {
            ask(null, null, null, exchange);
            return;
        }
        Fields f = Fields.ofBody(Router.shortJson(call.body()));
        String method = f.text("method", null);
        String report = f.text("report", null);
        Double delayMs = f.get("delay_ms") == null ? null : Double.valueOf(f.number("delay_ms", 0));
        if (method == null && report == null && delayMs == null) {
            throw new BadRequest(null, "One of method, report and delay_ms is needed.");
        }
        ask(method, report, delayMs, exchange);
    }

    private void ask(String method, String report, Double delayMs, Exchange exchange) {
        control.loadBalance(method, report, delayMs, LIMIT_NS, state -> answer(state, exchange), context.nowNs());
    }

    private static void answer(LoadBalanceState state, Exchange exchange) {
        if (state == null) {
            exchange.json(
                    ErrorReplies.UNAVAILABLE,
                    ErrorReplies.sglang("The controller did not answer; the change may still come about."));
        } else if (!state.error().isEmpty()) {
            exchange.json(ErrorReplies.BAD_REQUEST, ErrorReplies.sglang(state.error()));
        } else {
            ObjectNode body = Exchange.JSON.createObjectNode();
            body.put("method", state.method());
            body.put("report", state.report());
            body.put("delay_ms", state.delayMs());
            exchange.json(200, body);
        }
    }
}
