package dpserve.tokenizer.http;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dpserve.tokenizer.Control;
import dpserve.tokenizer.RankStates;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;

/**
 * Asks the topology how it is once a second while somebody looks, and tells all who do: one poll for any number of
 * viewers of a worker, none without. On the event loop only.
 */
final class DashboardFeed {
    /** As often as a person can take in; four messages to a rank would cost it less than one step. */
    static final long INTERVAL_MS = 1000;

    /** Who has not answered by then is left out, so that one dead process does not slow the page down. */
    private static final long ANSWER_LIMIT_NS = 450_000_000L;

    /** More viewers get 503: each holds a connection open for as long as it likes. */
    static final int MAX_VIEWERS = 64;

    private final Control control;
    private final RankStates ranks;
    private final ReplyContext context;
    private final ScheduledExecutorService loop;
    private final Set<Exchange> viewers = new LinkedHashSet<>();
    private boolean polling;
    private byte[] newest;

    /** @param loop the event loop */
    DashboardFeed(Control control, RankStates ranks, ReplyContext context, ScheduledExecutorService loop) {
        this.control = control;
        this.ranks = ranks;
        this.context = context;
        this.loop = loop;
    }

    /** Tells this client from now on until it leaves. */
    void watch(Exchange exchange) {
        if (viewers.size() >= MAX_VIEWERS) {
            exchange.json(
                    ErrorReplies.UNAVAILABLE, ErrorReplies.sglang("There are " + MAX_VIEWERS + " viewers already."));
            return;
        }
        viewers.add(exchange);
        exchange.onClientGone(() -> viewers.remove(exchange));
        exchange.startEvents();
        if (newest != null) {
            exchange.event(newest);
        }
        if (!polling) {
            polling = true;
            poll();
        }
    }

    private void poll() {
        if (viewers.isEmpty()) {
            polling = false;
            newest = null;
            return;
        }
        long beganNs = context.nowNs();
        control.states(
                ANSWER_LIMIT_NS,
                states -> control.recentDecisions(
                        ANSWER_LIMIT_NS, found -> tell(states, found.decisions(), beganNs), context.nowNs()),
                beganNs);
    }

    private void tell(Control.States states, List<Object> decisions, long beganNs) {
        try {
            ObjectNode snapshot =
                    Snapshot.of(states, decisions, ranks, context.servedModelName(), context.epochSeconds());
            newest = snapshot.toString().getBytes(StandardCharsets.UTF_8);
            // A copy: a client that is cut for not reading leaves the set at once.
            new ArrayList<>(viewers).forEach(viewer -> viewer.event(newest));
        } finally {
            long tookMs = TimeUnit.NANOSECONDS.toMillis(context.nowNs() - beganNs);
            loop.schedule(this::poll, Math.max(0, INTERVAL_MS - tookMs), TimeUnit.MILLISECONDS);
        }
    }
}
