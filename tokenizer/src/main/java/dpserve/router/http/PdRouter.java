package dpserve.router.http;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dpserve.io.LogLimiter;
import dpserve.router.PairChoice;
import dpserve.tokenizer.BadRequest;
import dpserve.tokenizer.http.Exchange;
import dpserve.tokenizer.http.HttpCall;
import dpserve.tokenizer.http.PrometheusText;
import dpserve.tokenizer.http.Router;
import io.netty.channel.EventLoop;
import java.nio.charset.StandardCharsets;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ScheduledExecutorService;
import java.util.function.LongSupplier;
import org.slf4j.LoggerFactory;

/**
 * The PD router's endpoints. Requests go to a pair of servers ({@link RoutedExchange}); calls about the servers go to all of them, or
 * to the first decode server where one answer is as good as another.
 */
public final class PdRouter {
    static final String SERVED = "served";
    static final String FAILED = "failed";
    static final String RETRIES = "retries";

    private static final List<String> GET = List.of("GET");
    private static final List<String> POST = List.of("POST");
    private static final List<String> REQUESTS = List.of("/generate", "/v1/completions", "/v1/chat/completions");
    private static final List<String> ONE_ANSWER = List.of("/v1/models", "/model_info", "/get_model_info");
    private static final ObjectMapper JSON = new ObjectMapper();

    private final LogLimiter limiter = new LogLimiter(LoggerFactory.getLogger(PdRouter.class));
    private final EventLoop loop;
    private final PairChoice pairs;
    private final Upstream upstream;
    private final LongSupplier rooms;
    private final Map<String, Long> counts = new LinkedHashMap<>();
    private final Set<RoutedExchange> running = new HashSet<>();
    private final Limits limits;
    private long runningWeight;
    private long requests;

    /**
     * What it takes at a time; one more gets 503.
     *
     * @param requests of all clients together
     * @param bytes that their bodies take in memory; one that takes more by itself is taken while there is no other
     */
    public record Limits(int requests, long bytes) {}

    /**
     * @param loop where everything runs but the parsing of long bodies
     * @param rooms draws bootstrap rooms, at least 0: the first of those that a request may take, far from any other's
     */
    public PdRouter(EventLoop loop, PairChoice pairs, LongSupplier rooms, Limits limits) {
        this.limits = limits;
        this.loop = loop;
        this.pairs = pairs;
        this.rooms = rooms;
        this.upstream = new Upstream(loop);
        for (String name : List.of(SERVED, FAILED, RETRIES)) {
            counts.put(name, 0L);
        }
    }

    /** Adds the endpoints. */
    public void addTo(Router router) {
        for (String path : REQUESTS) {
            router.addJson(List.of("POST", "PUT"), path, WeighedBody::of, this::request);
        }
        for (String path : ONE_ANSWER) {
            router.add(
                    GET,
                    path,
                    (call, exchange) -> ServerCalls.pass(this, pairs.decodes().get(0), call, exchange));
        }
        for (String path : List.of("/health", "/health_generate")) {
            router.add(GET, path, (call, exchange) -> ServerCalls.health(this, call, exchange));
        }
        for (String path : List.of("/server_info", "/get_server_info", "/v1/loads")) {
            router.add(GET, path, (call, exchange) -> ServerCalls.gather(this, call, exchange));
        }
        router.add(
                List.of("GET", "POST"),
                "/flush_cache",
                (call, exchange) -> ServerCalls.all(this, call, exchange, () -> {}));
        router.add(POST, "/abort_request", this::abort);
        router.add(GET, "/metrics", (call, exchange) -> metrics(exchange));
    }

    private void request(HttpCall call, WeighedBody body, Exchange exchange) {
        requests++;
        if (running.size() >= limits.requests()) {
            refuse(call, exchange, "requests it may have (--max-concurrent-requests " + limits.requests() + ").");
            return;
        }
        if (runningWeight > 0 && runningWeight + body.bytes() > limits.bytes()) {
            refuse(call, exchange, "request bodies it may have (" + limits.bytes() + " bytes in memory).");
            return;
        }
        String rid = UUID.randomUUID().toString().replace("-", "");
        RoutedExchange routed = new RoutedExchange(this, call, body, exchange, rid, rooms.getAsLong());
        running.add(routed);
        runningWeight += routed.weight();
        try {
            routed.begin();
        } catch (RuntimeException e) {
            routed.drop();
            throw e;
        }
    }

    private void refuse(HttpCall call, Exchange exchange, String what) {
        count(FAILED);
        Router.tooMuch(call, exchange, "The router has all the " + what);
    }

    /** The servers decide who may do this, and abort what they have; what must not be tried again is known here alone. */
    private void abort(HttpCall call, Exchange exchange) throws BadRequest {
        JsonNode body = Router.shortJson(call.body());
        String rid = body.path("rid").asText("");
        boolean all = body.path("abort_all").asBoolean(false);
        ServerCalls.all(this, call, exchange, () -> List.copyOf(running).forEach(routed -> routed.abort(rid, all)));
    }

    /** A request has its whole reply, or its client is gone. */
    void ended(RoutedExchange routed) {
        if (running.remove(routed)) {
            runningWeight -= routed.weight();
        }
    }

    private void metrics(Exchange exchange) {
        PrometheusText text = new PrometheusText();
        counter(text, "requests_total", "Requests that came.", requests);
        counter(text, "served_total", "Requests whose answer was passed on whole.", counts.get(SERVED));
        counter(text, "failed_total", "Requests that ended with an error.", counts.get(FAILED));
        counter(text, "retries_total", "Attempts after the first.", counts.get(RETRIES));
        text.sample("dpserve_router_running", "gauge", "Attempts under way.", pairs.running());
        text.sample("dpserve_router_requests", "gauge", "Requests that have not ended.", running.size());
        text.sample("dpserve_router_body_bytes", "gauge", "Memory that their bodies take, about.", runningWeight);
        exchange.reply(200, PrometheusText.CONTENT_TYPE, text.render().getBytes(StandardCharsets.UTF_8));
    }

    private static void counter(PrometheusText text, String name, String help, long value) {
        text.sample("dpserve_router_" + name, "counter", help, value);
    }

    PairChoice pairs() {
        return pairs;
    }

    Upstream upstream() {
        return upstream;
    }

    LogLimiter limiter() {
        return limiter;
    }

    ScheduledExecutorService loop() {
        return loop;
    }

    void count(String what) {
        counts.merge(what, 1L, Long::sum);
    }

    static ObjectMapper json() {
        return JSON;
    }
}
