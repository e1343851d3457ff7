package dpserve.tokenizer.http;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dpserve.io.message.RankStatus;
import dpserve.io.message.SamplingParams;
import dpserve.io.message.TokenizedGenerateReqInput;
import dpserve.tokenizer.RankStates;
import dpserve.tokenizer.SequenceSpec;
import dpserve.tokenizer.TokenizerManager;
import io.netty.channel.EventLoop;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

/**
 * {@code /health}, answered from signs of life, and {@code /health_generate}, which sends a probe through every process
 * of every rank.
 */
public final class HealthEndpoints {
    private static final List<String> GET = List.of("GET", "HEAD");
    private static final int[] PROBE_PROMPT = {0};

    private final TokenizerManager manager;
    private final RankStates ranks;
    private final ReplyContext context;
    private final EventLoop loop;
    private final int probeTimeoutS;
    private final BooleanSupplier draining;
    private long probes;

    /** @param probeTimeoutS SGLANG_HEALTH_CHECK_TIMEOUT, seconds */
    public HealthEndpoints(
            TokenizerManager manager,
            RankStates ranks,
            ReplyContext context,
            EventLoop loop,
            int probeTimeoutS,
            BooleanSupplier draining) {
        this.manager = manager;
        this.ranks = ranks;
        this.context = context;
        this.loop = loop;
        this.probeTimeoutS = probeTimeoutS;
        this.draining = draining;
    }

    /** Adds them to a router. */
    public void addTo(Router router) {
        router.add(GET, "/health", (call, exchange) -> reply(exchange, Set.of()));
        router.add(GET, "/health_generate", (call, exchange) -> healthGenerate(exchange));
    }

    /**
     * 200 with all ranks there; 503 and the reason otherwise. Degraded (some ranks missing) is told from down (none takes
     * requests). A rank that was drained on purpose is no fault: a load balancer must not send everybody away for it.
     */
    private void reply(Exchange exchange, Set<Integer> silent) {
        List<Integer> missing = ranks.missing();
        boolean alive = ranks.controllerAlive(context.nowNs());
        String status;
        if (draining.getAsBoolean()) {
            status = "draining";
        } else if (!alive || ranks.taking().isEmpty()) {
            status = "down";
        } else {
            status = missing.isEmpty() && silent.isEmpty() ? "healthy" : "degraded";
        }
        ObjectNode body = Exchange.JSON.createObjectNode();
        body.put("status", status);
        body.put("controller", alive ? "up" : "not heard of");
        missing.forEach(body.putArray("missing_ranks")::add);
        ranks.in(RankStatus.DRAINING).forEach(body.putArray("draining_ranks")::add);
        ranks.in(RankStatus.DRAINED).forEach(body.putArray("drained_ranks")::add);
        silent.forEach(body.putArray("silent_ranks")::add);
        exchange.json("healthy".equals(status) ? 200 : ErrorReplies.UNAVAILABLE, body);
    }

    private void healthGenerate(Exchange exchange) {
        List<Integer> live = ranks.taking();
        if (live.isEmpty() || draining.getAsBoolean()) {
            reply(exchange, Set.of());
            return;
        }
        Map<Integer, String> awaited = new TreeMap<>();
        Set<Integer> silent = new TreeSet<>();
        for (int rank : live) {
            String rid = TokenizedGenerateReqInput.HEALTH_CHECK_PREFIX + "_" + Long.toHexString(probes++);
            SequenceSpec spec = new SequenceSpec(
                    rid, PROBE_PROMPT, SamplingParams.greedy(1), false, SequenceSpec.Routing.toRank(rank));
            String wireRid = manager.probe(spec, passed -> {
                awaited.remove(rank);
                if (!passed) {
                    silent.add(rank);
                }
                if (awaited.isEmpty()) {
                    reply(exchange, silent);
                }
            });
            if (wireRid == null) {
                silent.add(rank);
            } else {
                awaited.put(rank, wireRid);
            }
        }
        if (awaited.isEmpty()) {
            reply(exchange, silent);
            return;
        }
        loop.schedule(() -> giveUp(exchange, awaited, silent), probeTimeoutS, TimeUnit.SECONDS);
        exchange.onClientGone(() -> awaited.values().forEach(manager::forgetProbe));
    }

    private void giveUp(Exchange exchange, Map<Integer, String> awaited, Set<Integer> silent) {
        if (!exchange.isDone() && !awaited.isEmpty()) {
            awaited.values().forEach(manager::forgetProbe);
            silent.addAll(awaited.keySet());
            reply(exchange, silent);
        }
    }
}
