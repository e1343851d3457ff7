package dpserve.tokenizer.http;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.exc.StreamConstraintsException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dpserve.tokenizer.BadRequest;
import java.io.IOException;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/** Finds the endpoint of a request. */
public final class Router {
    /** Bodies above this are parsed on another thread ({@link #addJson}) or refused, so that one long prompt does not hold up every stream. */
    private static final int INLINE_BODY_BYTES = 64 << 10;

    /**
     * JSON tokens of a body: twice a prompt of a million ids. As a tree a token takes up to 95 bytes, where it took two of the
     * body ({@code {},} or {@code "a",}), so this is 190 MB at worst of a heap of 1 GiB, instead of thirty bodies.
     */
    static final int MAX_BODY_TOKENS = 2_000_000;

    /** As Jackson's own. */
    private static final int MAX_BODY_DEPTH = 1000;

    private static final ObjectMapper BODIES = new ObjectMapper(JsonFactory.builder()
            // What clients make up is used once; interning a million names takes seconds.
            .disable(JsonFactory.Feature.INTERN_FIELD_NAMES)
            .streamReadConstraints(StreamReadConstraints.builder()
                    .maxTokenCount(MAX_BODY_TOKENS)
                    .maxNestingDepth(MAX_BODY_DEPTH)
                    .build())
            .build());

    /** Serves one path. */
    public interface Endpoint {
        void handle(HttpCall call, Exchange exchange) throws BadRequest;
    }

    /** Turns a body into something of its own. */
    public interface BodyParser<T> {
        T parse(JsonNode body) throws BadRequest;
    }

    /** Takes what a body was turned into; on the event loop. */
    public interface ParsedEndpoint<T> {
        void handle(HttpCall call, T parsed, Exchange exchange);
    }

    private record Route(List<String> methods, Endpoint endpoint) {}

    private final Map<String, Route> routes = new HashMap<>();
    private final Map<String, Route> prefixes = new LinkedHashMap<>();
    private final Executor loop;
    private final Executor side;
    private final ApiKeys keys;
    private final WaitingBodies waitingBodies;

    /**
     * @param loop the event loop
     * @param side parses long bodies
     * @param keys who may call what
     */
    public Router(Executor loop, Executor side, ApiKeys keys) {
        this(loop, side, keys, WaitingBodies.ofHeap());
    }

    Router(Executor loop, Executor side, ApiKeys keys, WaitingBodies waitingBodies) {
        this.waitingBodies = waitingBodies;
        this.keys = keys;
        this.loop = loop;
        this.side = side;
    }

    /** The thread for long bodies; a process may end without waiting for it. */
    public static ExecutorService longBodies() {
        return Executors.newSingleThreadExecutor(task -> {
            Thread thread = new Thread(task, "long-prompts");
            thread.setDaemon(true);
            return thread;
        });
    }

    /** Adds a path. */
    public void add(List<String> methods, String path, Endpoint endpoint) {
        routes.put(path, new Route(methods, endpoint));
    }

    /** Adds all paths that begin so and are not added by themselves. */
    void addPrefix(List<String> methods, String prefix, Endpoint endpoint) {
        prefixes.put(prefix, new Route(methods, endpoint));
    }

    private Route find(String path) {
        Route route = routes.get(path);
        if (route == null) {
            for (Map.Entry<String, Route> prefix : prefixes.entrySet()) {
                if (path.startsWith(prefix.getKey())) {
                    return prefix.getValue();
                }
            }
        }
        return route;
    }

    /** Adds a path with a JSON body, which is parsed on another thread if it is long. */
    public <T> void addJson(List<String> methods, String path, BodyParser<T> parser, ParsedEndpoint<T> endpoint) {
        add(methods, path, (call, exchange) -> {
            if (call.body().length <= INLINE_BODY_BYTES) {
                endpoint.handle(call, parser.parse(json(call.body())), exchange);
            } else if (waitingBodies.add(call.body().length)) {
                side.execute(() -> parseAside(call, exchange, parser, endpoint));
            } else {
                tooMuch(
                        call,
                        exchange,
                        "Too many bytes of long requests wait to be read (limit " + waitingBodies.maxBytes() + ").");
            }
        });
    }

    private <T> void parseAside(HttpCall call, Exchange exchange, BodyParser<T> parser, ParsedEndpoint<T> endpoint) {
        try {
            T parsed = parser.parse(json(call.body()));
            read(call, () -> {
                if (!exchange.isDone()) {
                    endOnFailure(exchange, () -> endpoint.handle(call, parsed, exchange));
                }
            });
        } catch (BadRequest e) {
            read(call, () -> bad(call, exchange, e));
        } catch (RuntimeException e) {
            read(
                    call,
                    () -> endOnFailure(exchange, () -> {
                        throw e;
                    }));
        }
    }

    private void read(HttpCall call, Runnable then) {
        loop.execute(() -> {
            waitingBodies.remove(call.body().length);
            then.run();
        });
    }

    private static void endOnFailure(Exchange exchange, Runnable work) {
        try {
            work.run();
        } catch (RuntimeException e) {
            exchange.json(ErrorReplies.INTERNAL, ErrorReplies.sglang("Internal server error."));
            throw e; // for the loop's log
        }
    }

    /** Parses a body that has no reason to be long, on the event loop; an empty one is an empty object. */
    public static JsonNode shortJson(byte[] body) throws BadRequest {
        if (body.length > INLINE_BODY_BYTES) {
            throw new BadRequest(
                    null,
                    "The request body has " + body.length + " bytes, of which this path takes " + INLINE_BODY_BYTES
                            + ".");
        }
        return json(body);
    }

    /** Parses a body; an empty one is an empty object. */
    public static JsonNode json(byte[] body) throws BadRequest {
        try {
            JsonNode node = BODIES.readTree(body);
            return node == null || node.isMissingNode() ? BODIES.createObjectNode() : node;
        } catch (StreamConstraintsException e) {
            throw new BadRequest(
                    null,
                    "The request body is beyond what this server reads (" + MAX_BODY_TOKENS
                            + " values, names and brackets, " + MAX_BODY_DEPTH + " levels): "
                            + e.getOriginalMessage().replaceAll(", from `[^`]*`", ""));
        } catch (JsonProcessingException e) {
            throw new BadRequest(null, "The request body is not valid JSON: " + e.getOriginalMessage());
        } catch (IOException e) {
            throw new BadRequest(null, "The request body cannot be read.");
        }
    }

    ApiKeys keys() {
        return keys;
    }

    WaitingBodies waitingBodies() {
        return waitingBodies;
    }

    void handle(HttpCall call, Exchange exchange) {
        if (!keys.allows(call.method(), call.path(), call.authorization())) {
            exchange.json(401, Exchange.JSON.createObjectNode().put("error", "Unauthorized"));
            return;
        }
        Route route = find(call.path());
        if (route == null) {
            exchange.json(404, notFound(call));
        } else if (!route.methods().contains(call.method())) {
            exchange.json(405, Exchange.JSON.createObjectNode().put("detail", "Method Not Allowed"));
        } else {
            try {
                route.endpoint().handle(call, exchange);
            } catch (BadRequest e) {
                bad(call, exchange, e);
            }
        }
    }

    private static JsonNode notFound(HttpCall call) {
        return openAi(call)
                ? ErrorReplies.openAi(404, "Not Found", "NotFoundError", null)
                : Exchange.JSON.createObjectNode().put("detail", "Not Found");
    }

    private static boolean openAi(HttpCall call) {
        return call.path().startsWith("/v1/");
    }

    /** Refuses a request because of the others that are here. */
    public static void tooMuch(HttpCall call, Exchange exchange, String message) {
        exchange.json(
                ErrorReplies.UNAVAILABLE,
                openAi(call)
                        ? ErrorReplies.openAi(ErrorReplies.UNAVAILABLE, message, "ServiceUnavailableError", null)
                        : ErrorReplies.sglang(message));
    }

    private static void bad(HttpCall call, Exchange exchange, BadRequest e) {
        exchange.json(
                ErrorReplies.BAD_REQUEST, openAi(call) ? ErrorReplies.openAi(e) : ErrorReplies.sglang(e.getMessage()));
    }
}
