package dpserve.bench.client;

import com.fasterxml.jackson.core.JsonProcessingException;
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

    /** One message of a chat. */
    public record Message(String role, String content) {}

    /**
     * The messages of a round: what was said before and the round's question.
     *
     * @param history earlier messages of a conversation; empty for a single request
     */
    public List<Message> messages(DatasetRow row, int round, List<Message> history) {
        Prompt prompt =
                row.prompt() instanceof Prompt.Conversation c ? c.rounds().get(round) : row.prompt();
        List<Message> all = new ArrayList<>(history);
        all.add(new Message("user", text(prompt)));
        return all;
    }

    /** The body of a chat round. */
    public byte[] chat(DatasetRow row, List<Message> messages) {
        Map<String, Object> body = openAi(row);
        body.put("messages", messages);
        return bytes(merged(body));
    }

    /** The body of a row that is a single request. */
    public byte[] body(DatasetRow row) {
        return switch (backend) {
            case CHAT -> chat(row, messages(row, 0, List.of()));
            case COMPLETIONS -> {
                Map<String, Object> body = openAi(row);
                body.put("prompt", text(row.prompt()));
                yield bytes(merged(body));
            }
            default -> bytes(merged(generate(row)));
        };
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

    private Map<String, Object> openAi(DatasetRow row) {
        Map<String, Object> body = new LinkedHashMap<>();
        body.put("model", model);
        body.put(backend == Backend.CHAT ? "max_completion_tokens" : "max_tokens", row.outputLen());
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
