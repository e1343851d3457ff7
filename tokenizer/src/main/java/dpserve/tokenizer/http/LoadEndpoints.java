package dpserve.tokenizer.http;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dpserve.io.message.GetLoadReqOutput;
import dpserve.tokenizer.BadRequest;
import dpserve.tokenizer.Control;
import dpserve.tokenizer.PromptLimits;
import dpserve.tokenizer.RankStates;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/** {@code /get_load}, {@code /v1/loads} and {@code /metrics}: what the ranks hold and what the server has done. */
public final class LoadEndpoints {
    private static final List<String> GET = List.of("GET", "HEAD");

    private final Control control;
    private final RankStates ranks;
    private final PromptLimits limits;
    private final ReplyContext context;
    private final String version;

    public LoadEndpoints(Control control, RankStates ranks, PromptLimits limits, ReplyContext context, String version) {
        this.control = control;
        this.ranks = ranks;
        this.limits = limits;
        this.context = context;
        this.version = version;
    }

    /** Adds them to a router. */
    public void addTo(Router router) {
        router.add(GET, "/get_load", (call, exchange) -> loads(l -> exchange.json(200, getLoad(l))));
        router.add(GET, "/v1/loads", this::v1Loads);
        router.add(GET, "/metrics", (call, exchange) -> metrics(exchange));
    }

    private void loads(Consumer<Control.Loads> whenDone) {
        control.loads(ServerInfo.ANSWER_LIMIT_NS, whenDone, context.nowNs());
    }

    private ArrayNode getLoad(Control.Loads loads) {
        ArrayNode list = Exchange.JSON.createArrayNode();
        for (GetLoadReqOutput load : loads.loads()) {
            ObjectNode item = list.addObject();
            item.put("dp_rank", load.dpRank());
            item.put("num_reqs", load.numReqs());
            item.put("num_waiting_reqs", load.numWaitingReqs());
            item.put("num_tokens", load.numTokens());
            item.put("num_pending_tokens", Math.max(0, load.numTokens() - load.numUsedTokens()));
            item.put("ts_tic", load.tsTic());
        }
        return list;
    }

    private void v1Loads(HttpCall call, Exchange exchange) throws BadRequest {
        Integer rank = rank(call.query("dp_rank"));
        limits.checkRank("dp_rank", rank);
        boolean prometheus = "prometheus".equals(call.query("format"));
        loads(all -> {
            List<GetLoadReqOutput> chosen = all.loads().stream()
                    .filter(load -> rank == null || load.dpRank() == rank)
                    .toList();
            if (prometheus) {
                PrometheusText text = new PrometheusText();
                chosen.forEach(load -> figures(load)
                        .properties()
                        .forEach(f -> text.sample(
                                "sglang_" + f.getKey(),
                                "gauge",
                                "As in /v1/loads.",
                                f.getValue().asDouble(),
                                "dp_rank",
                                Integer.toString(load.dpRank()))));
                exchange.reply(200, PrometheusText.CONTENT_TYPE, text.render().getBytes(StandardCharsets.UTF_8));
            } else {
                exchange.json(200, v1Loads(chosen, all.missing()));
            }
        });
    }

    private static Integer rank(String text) throws BadRequest {
        try {
            return text == null ? null : Integer.valueOf(text);
        } catch (NumberFormatException e) {
            throw new BadRequest("dp_rank", "dp_rank must be an integer.");
        }
    }

    private ObjectNode v1Loads(List<GetLoadReqOutput> loads, List<String> missing) {
        ObjectNode body = Exchange.JSON.createObjectNode();
        body.put(
                "timestamp",
                Instant.ofEpochMilli((long) (context.epochSeconds() * 1000)).toString());
        body.put("version", version);
        body.put("dp_rank_count", ranks.dpSize());
        ArrayNode list = body.putArray("loads");
        long running = 0;
        long waiting = 0;
        long used = 0;
        long tokens = 0;
        double usage = 0;
        double throughput = 0;
        for (GetLoadReqOutput load : loads) {
            list.add(Exchange.JSON
                    .createObjectNode()
                    .put("dp_rank", load.dpRank())
                    .setAll(figures(load)));
            running += load.numReqs() - load.numWaitingReqs();
            waiting += load.numWaitingReqs();
            used += load.numUsedTokens();
            tokens += load.numTokens();
            usage += usage(load);
            throughput += load.genThroughput();
        }
        ObjectNode aggregate = body.putObject("aggregate");
        int answered = Math.max(1, loads.size());
        aggregate.put("total_running_reqs", running);
        aggregate.put("total_waiting_reqs", waiting);
        aggregate.put("total_reqs", running + waiting);
        aggregate.put("total_used_tokens", used);
        aggregate.put("total_tokens", tokens);
        aggregate.put("avg_token_usage", rounded(usage / answered));
        aggregate.put("avg_throughput", rounded(throughput / answered));
        ObjectNode states = body.putObject("rank_states");
        ranks.all().forEach((rank, state) -> states.put(Integer.toString(rank), state));
        missing.forEach(body.putArray("unanswered")::add);
        return body;
    }

    private static ObjectNode figures(GetLoadReqOutput load) {
        ObjectNode item = Exchange.JSON.createObjectNode();
        item.put("num_running_reqs", load.numReqs() - load.numWaitingReqs());
        item.put("num_waiting_reqs", load.numWaitingReqs());
        item.put("num_used_tokens", load.numUsedTokens());
        item.put("num_total_tokens", load.numTokens());
        item.put("max_total_num_tokens", load.maxTotalNumTokens());
        item.put("token_usage", rounded(usage(load)));
        item.put("gen_throughput", rounded(load.genThroughput()));
        item.put("cache_hit_rate", rounded(load.cacheHitRate()));
        item.put("num_retracted_reqs", load.numRetracted());
        return item;
    }

    private static double usage(GetLoadReqOutput load) {
        return load.maxTotalNumTokens() == 0 ? 0 : (double) load.numUsedTokens() / load.maxTotalNumTokens();
    }

    private static double rounded(double value) {
        return Math.round(value * 1e4) / 1e4;
    }

    private void metrics(Exchange exchange) {
        loads(loads -> control.states(
                ServerInfo.ANSWER_LIMIT_NS, states -> metrics(exchange, loads, states), context.nowNs()));
    }

    private void metrics(Exchange exchange, Control.Loads loads, Control.States states) {
        PrometheusText text = new PrometheusText();
        for (Map<String, Object> state : states.states()) {
            if (state.get("metrics") instanceof String exposition) {
                text.add(exposition);
            }
        }
        loads.loads().forEach(load -> rankGauges(text, load));
        states.states().forEach(state -> {
            processFigures(text, state);
            RankGauges.add(text, state);
        });
        text.sample(
                "dpserve_scrape_unanswered",
                "gauge",
                "Processes that did not answer.",
                states.missing().size());
        exchange.reply(200, PrometheusText.CONTENT_TYPE, text.render().getBytes(StandardCharsets.UTF_8));
    }

    private void rankGauges(PrometheusText text, GetLoadReqOutput load) {
        gauge(text, load, "num_running_reqs", "Requests running.", load.numReqs() - load.numWaitingReqs());
        gauge(text, load, "num_queue_reqs", "Requests waiting.", load.numWaitingReqs());
        gauge(text, load, "num_used_tokens", "KV slots in use.", load.numUsedTokens());
        gauge(text, load, "max_total_num_tokens", "KV slots there are.", load.maxTotalNumTokens());
        gauge(text, load, "token_usage", "Share of KV slots in use.", usage(load));
        gauge(text, load, "gen_throughput", "Output tokens per second.", load.genThroughput());
        gauge(text, load, "cache_hit_rate", "Share of prompt tokens found in the prefix cache.", load.cacheHitRate());
        rankSample(text, load, "num_retracted_requests_total", "counter", "Requests retracted.", load.numRetracted());
    }

    private void gauge(PrometheusText text, GetLoadReqOutput load, String name, String help, double value) {
        rankSample(text, load, name, "gauge", help, value);
    }

    /** SGLang's labels of a scheduler's metric; this project has one process a rank, so those of its parts are 0. */
    private void rankSample(
            PrometheusText text, GetLoadReqOutput load, String name, String type, String help, double value) {
        text.sample(
                "sglang:" + name,
                type,
                help,
                value,
                "model_name",
                context.servedModelName(),
                "engine_type",
                WorkerMetrics.ENGINE_TYPE,
                "tp_rank",
                "0",
                "pp_rank",
                "0",
                "moe_ep_rank",
                "0",
                "dp_rank",
                Integer.toString(load.dpRank()));
    }

    private static void processFigures(PrometheusText text, Map<String, Object> state) {
        String role = String.valueOf(state.get("role"));
        String index = String.valueOf(state.get("index"));
        figures(
                state.get("tables"),
                (name, value) -> text.sample(
                        "dpserve_table_entries",
                        "gauge",
                        "Entries of a process's tables.",
                        value,
                        "role",
                        role,
                        "index",
                        index,
                        "table",
                        name));
        figures(
                state.get("counters"),
                (name, value) -> text.sample(
                        "dpserve_events_total",
                        "counter",
                        "Events counted by a process.",
                        value,
                        "role",
                        role,
                        "index",
                        index,
                        "event",
                        name));
    }

    private interface Figure {
        void accept(String name, double value);
    }

    private static void figures(Object map, Figure figure) {
        if (map instanceof Map<?, ?> entries) {
            entries.forEach((name, value) -> {
                if (value instanceof Number number) {
                    figure.accept(String.valueOf(name), number.doubleValue());
                }
            });
        }
    }
}
