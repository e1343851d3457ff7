package dpserve.tokenizer.http;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dpserve.io.message.FlushCacheReqOutput;
import dpserve.io.message.Hello;
import dpserve.tokenizer.BadRequest;
import dpserve.tokenizer.Control;
import dpserve.tokenizer.ControlCalls;
import dpserve.tokenizer.Fields;
import dpserve.tokenizer.GenerateParser;
import dpserve.tokenizer.OpenAiParser;
import dpserve.tokenizer.RankStates;
import dpserve.tokenizer.TokenizerManager;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;

/** Endpoints that act: generation, abort, cache flush; and those that describe the server. */
public final class ServerEndpoints {
    private static final List<String> GET = List.of("GET", "HEAD");
    private static final List<String> GET_POST = List.of("GET", "POST");
    private static final List<String> POST = List.of("POST");
    private static final List<String> POST_PUT = List.of("POST", "PUT");

    /** Time for all ranks to answer a cache flush beyond the timeout the client gave. */
    private static final long FLUSH_GRACE_NS = 2_000_000_000L;

    /** Longest time a client may let a flush wait for idle ranks. */
    private static final double MAX_FLUSH_TIMEOUT_S = 300;

    private final TokenizerManager manager;
    private final Control control;
    private final RankStates ranks;
    private final ReplyContext context;
    private final ServerInfo info;
    private final Admission admission;

    /** @param admission whether a request is taken */
    public ServerEndpoints(
            TokenizerManager manager,
            Control control,
            RankStates ranks,
            ReplyContext context,
            ServerInfo info,
            Admission admission) {
        this.manager = manager;
        this.control = control;
        this.ranks = ranks;
        this.context = context;
        this.info = info;
        this.admission = admission;
    }

    /** Adds them to a router. */
    public void addTo(Router router, GenerateParser generateParser, OpenAiParser openAi) {
        String model = context.servedModelName();
        router.addJson(POST_PUT, "/generate", generateParser::parse, (call, request, exchange) -> {
            String refusal = admission.refusal(request.sequences());
            if (refusal != null) {
                exchange.json(ErrorReplies.UNAVAILABLE, ErrorReplies.sglang(refusal));
            } else {
                GenerateReply.start(exchange, request, manager, context);
            }
        });
        router.addJson(
                POST, "/v1/completions", b -> openAi.parseCompletion(b, model), (c, r, e) -> openAi(r, e, false));
        router.addJson(POST, "/v1/chat/completions", b -> openAi.parseChat(b, model), (c, r, e) -> openAi(r, e, true));
        router.add(POST, "/abort_request", this::abort);
        router.add(GET_POST, "/flush_cache", this::flushCache);
        router.add(GET, "/v1/models", (call, exchange) -> exchange.json(200, models()));
        router.add(GET, "/v1/models/" + model, (call, exchange) -> exchange.json(200, model()));
        for (String path : List.of("/model_info", "/get_model_info")) {
            router.add(GET, path, (call, exchange) -> exchange.json(200, modelInfo()));
        }
        for (String path : List.of("/server_info", "/get_server_info")) {
            router.add(GET, path, this::serverInfo);
        }
    }

    private void openAi(OpenAiParser.OpenAiRequest request, Exchange exchange, boolean chat) {
        String refusal = admission.refusal(request.generate().sequences());
        if (refusal != null) {
            exchange.json(
                    ErrorReplies.UNAVAILABLE,
                    ErrorReplies.openAi(ErrorReplies.UNAVAILABLE, refusal, "ServiceUnavailableError", null));
        } else {
            OpenAiReply.start(exchange, request, chat, manager, context);
        }
    }

    private void abort(HttpCall call, Exchange exchange) throws BadRequest {
        Fields f = Fields.ofBody(Router.shortJson(call.body()));
        boolean all = f.bool("abort_all", false);
        String rid = f.text("rid", "");
        if (all || !rid.isEmpty()) {
            // As SGLang, an empty rid without abort_all does nothing.
            manager.abortByUser(rid, all);
        }
        exchange.reply(200, "text/plain; charset=utf-8", new byte[0]);
    }

    private void flushCache(HttpCall call, Exchange exchange) throws BadRequest {
        Double timeoutS = timeout(call.query("timeout"));
        long limitNs = FLUSH_GRACE_NS + (timeoutS == null ? 0 : (long) (timeoutS * 1e9));
        control.flushCache(timeoutS, limitNs, result -> flushed(result, exchange), context.nowNs());
    }

    private static Double timeout(String text) throws BadRequest {
        if (text == null) {
            return null;
        }
        try {
            double value = Double.parseDouble(text);
            if (value >= 0 && value <= MAX_FLUSH_TIMEOUT_S) {
                return value;
            }
        } catch (NumberFormatException e) {
            // reported below, together with values out of range
        }
        throw new BadRequest("timeout", "timeout must be 0 to " + MAX_FLUSH_TIMEOUT_S + " seconds.");
    }

    private static void flushed(ControlCalls.Result result, Exchange exchange) {
        StringBuilder problems = new StringBuilder();
        result.answers().forEach((from, answer) -> {
            if (answer instanceof FlushCacheReqOutput flush && !flush.success()) {
                problems.append(from).append(": ").append(flush.message()).append('\n');
            }
        });
        result.missing().forEach(rank -> problems.append(rank).append(": no answer\n"));
        boolean ok = problems.length() == 0;
        String text = ok
                ? "Cache flushed.\nPlease check backend logs for more details. (When there are running or waiting"
                        + " requests, the operation will not be performed.)\n"
                : "The cache was not flushed on every rank.\n" + problems;
        exchange.reply(ok ? 200 : 400, "text/plain; charset=utf-8", text.getBytes(StandardCharsets.UTF_8));
    }

    private ObjectNode model() {
        ObjectNode model = Exchange.JSON.createObjectNode();
        model.put("id", context.servedModelName());
        model.put("object", "model");
        model.put("created", (long) info.startedEpochSeconds());
        model.put("owned_by", "dpserve");
        model.put("root", context.servedModelName());
        model.put("max_model_len", info.contextLength());
        return model;
    }

    private ObjectNode models() {
        ObjectNode list = Exchange.JSON.createObjectNode();
        list.put("object", "list");
        list.putArray("data").add(model());
        return list;
    }

    private ObjectNode modelInfo() {
        ObjectNode model = Exchange.JSON.valueToTree(info.model());
        model.put("served_model_name", context.servedModelName());
        model.put("is_generation", true);
        model.putNull("preferred_sampling_params");
        model.put("weight_version", context.weightVersion());
        model.put("has_image_understanding", false);
        model.put("has_audio_understanding", false);
        return model;
    }

    private void serverInfo(HttpCall call, Exchange exchange) {
        control.states(ServerInfo.ANSWER_LIMIT_NS, states -> exchange.json(200, serverInfo(states)), context.nowNs());
    }

    private ObjectNode serverInfo(Control.States states) {
        ObjectNode body = Exchange.JSON.createObjectNode();
        info.arguments().forEach((name, value) -> body.set(name, Exchange.JSON.valueToTree(value)));
        body.put("status", ranks.missing().isEmpty() ? "ready" : "degraded");
        body.put("version", info.version());
        body.put("served_model_name", context.servedModelName());
        body.put("max_total_num_tokens", ranks.info(Hello.MAX_TOTAL_NUM_TOKENS));
        body.put("max_req_input_len", ranks.info(Hello.MAX_REQ_INPUT_LEN));
        ArrayNode internal = body.putArray("internal_states");
        ArrayNode processes = body.putArray("processes");
        for (Map<String, Object> state : states.states()) {
            ObjectNode process = Exchange.JSON.valueToTree(state);
            process.remove("metrics");
            if ("scheduler".equals(state.get("role"))) {
                process.set("dp_rank", process.get("index"));
                internal.add(process.deepCopy());
            }
            processes.add(process);
        }
        ArrayNode missing = body.putArray("unanswered");
        states.missing().forEach(missing::add);
        return body;
    }
}
