package dpserve.bench.client;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dpserve.bench.dataset.DatasetRow;
import dpserve.bench.dataset.Prompt;
import dpserve.bench.dataset.PromptTokens;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Makes the JSON bodies, each with the fields that upstream's client sends. */
public final class RequestBodies {
    private static final ObjectMapper JSON = new ObjectMapper();

    /** SGLang's default where sampling_params come from --extra-request-body and say nothing. */
    private static final int DEFAULT_MAX_NEW_TOKENS = 128;

    private final Backend backend;
    private final String model;
    private final PromptTokens tokens;
    private final RequestOptions options;
    private final ObjectNode extra;

    /**
     * @param model name sent to the OpenAI APIs
     */
    public RequestBodies(Backend backend, String model, PromptTokens tokens, RequestOptions options) {
        this.backend = backend;
        this.model = model;
        this.tokens = tokens;
        this.options = options;
        this.extra = options.extra();
    }

    /**
     * The parameters of a request that decide what a simulated reply must be.
     *
     * @param maxNewTokens length at which it is cut
     * @param minNewTokens tokens before which it does not end by itself
     * @param ignoreEos whether it only ends by its length
     */
    public record SamplingLimits(int maxNewTokens, int minNewTokens, boolean ignoreEos) {}

    /** One message of a chat. */
    public record Message(String role, String content) {}

    /**
     * The messages of a round: what was said before and the round's question.
     *
     * @param history earlier messages of a conversation; empty for a single request
     */
    List<Message> messages(DatasetRow row, int round, List<Message> history) {
        Prompt prompt =
                row.prompt() instanceof Prompt.Conversation c ? c.rounds().get(round) : row.prompt();
        List<Message> all = new ArrayList<>(history);
        all.add(new Message("user", text(prompt)));
        return all;
    }

    /** The body of a chat round. */
    byte[] chat(DatasetRow row, List<Message> messages) {
        Map<String, Object> body = openAi(row, "max_completion_tokens");
        body.put("messages", messages);
        return bytes(merged(body));
    }

    /** The body of a row that is a single request. */
    public byte[] body(DatasetRow row) {
        return switch (backend) {
            case CHAT -> chat(row, messages(row, 0, List.of()));
            case COMPLETIONS -> {
                Map<String, Object> body = openAi(row, "max_tokens");
                body.put("prompt", text(row.prompt()));
                yield bytes(merged(body));
            }
            default -> bytes(merged(generate(row)));
        };
    }

    /** What of the body decides the reply, --extra-request-body included. */
    public SamplingLimits limits(DatasetRow row) {
        Map<String, Object> fields = merged(
                backend.isNative()
                        ? generate(row)
                        : openAi(row, backend == Backend.CHAT ? "max_completion_tokens" : "max_tokens"));
        JsonNode body = JSON.valueToTree(fields);
        JsonNode params = backend.isNative() ? body.path("sampling_params") : body;
        int max = backend.isNative()
                ? params.path("max_new_tokens").asInt(DEFAULT_MAX_NEW_TOKENS)
                : params.path("max_completion_tokens")
                        .asInt(params.path("max_tokens").asInt());
        int min = params.path(backend.isNative() ? "min_new_tokens" : "min_tokens")
                .asInt(0);
        return new SamplingLimits(max, min, params.path("ignore_eos").asBoolean(false));
    }

    /** The ids the server generates from, unless it wraps the prompt in a chat template. */
    public int[] promptIds(DatasetRow row) {
        return options.tokenizePrompt ? tokens.ids((Prompt.Tokens) row.prompt()) : tokens.encode(text(row.prompt()));
    }

    private String text(Prompt prompt) {
        return prompt instanceof Prompt.Text t ? t.text() : tokens.text(tokens.ids((Prompt.Tokens) prompt));
    }

    private Map<String, Object> generate(DatasetRow row) {
        Map<String, Object> params = new LinkedHashMap<>();
        params.put("temperature", options.temperature);
        params.put("max_new_tokens", row.outputLen());
        params.put("ignore_eos", !options.disableIgnoreEos);
        if (options.topP < 1) {
            params.put("top_p", options.topP);
        }
        Map<String, Object> body = new LinkedHashMap<>();
        if (options.tokenizePrompt) {
            body.put("input_ids", tokens.ids((Prompt.Tokens) row.prompt()));
        } else {
            body.put("text", text(row.prompt()));
        }
        body.put("sampling_params", params);
        body.put("stream", !options.disableStream);
        return body;
    }

    private Map<String, Object> openAi(DatasetRow row, String limitField) {
        Map<String, Object> body = new LinkedHashMap<>();
        body.put("model", model);
        body.put(limitField, row.outputLen());
        body.put("stream", !options.disableStream);
        body.put("temperature", options.temperature);
        if (options.topP < 1) {
            body.put("top_p", options.topP);
        }
        body.put("ignore_eos", !options.disableIgnoreEos);
        if (!options.disableStream) {
            // Without it a stream does not tell how many tokens it had, and upstream then takes the number asked for.
            body.put("stream_options", Map.of("include_usage", true));
        }
        if (options.cacheReport) {
            body.put("return_cached_tokens_details", true);
        }
        return body;
    }

    private Map<String, Object> merged(Map<String, Object> body) {
        extra.properties().forEach(e -> body.put(e.getKey(), e.getValue()));
        return body;
    }

    private static byte[] bytes(Map<String, Object> body) {
        try {
            return JSON.writeValueAsBytes(body);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e);
        }
    }
}
