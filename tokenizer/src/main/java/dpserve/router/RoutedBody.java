package dpserve.router;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;

/**
 * The bodies that the two halves of a pair get for one client request: the client's own, with the room, and with what was
 * received already when it is sent again. Pure.
 */
final class RoutedBody {
    private static final String RID = "rid";
    private static final String RESUME = "resume";
    private static final String TOKEN_IDS = "return_token_ids";

    private final ObjectNode body;
    private final boolean openAi;
    private final boolean stream;

    /** Whether the client itself asked for token ids. */
    private final boolean idsWanted;

    /**
     * @param path of the request
     * @param body the client's; never changed
     * @param rid for a request that names itself not, so that all its attempts have one name
     */
    RoutedBody(String path, ObjectNode body, String rid) {
        this.body = copy(body);
        this.openAi = path.startsWith("/v1/");
        this.stream = body.path("stream").asBoolean(false);
        this.idsWanted = body.path(TOKEN_IDS).asBoolean(false);
        if (!body.hasNonNull(RID)) {
            this.body.put(RID, rid);
        }
        if (openAi && stream) {
            this.body.put(TOKEN_IDS, true);
        }
    }

    /** Only fields of the body itself are ever changed, so what they hold, which may be long, is shared. */
    private static ObjectNode copy(ObjectNode body) {
        return body.objectNode().setAll(body);
    }

    boolean openAi() {
        return openAi;
    }

    /** Sequences of the reply: prompts times samples. */
    int sequences() {
        JsonNode prompts = openAi ? body.path("prompt") : body.path(body.hasNonNull("text") ? "text" : "input_ids");
        boolean list =
                prompts.isArray() && !prompts.isEmpty() && !prompts.get(0).isNumber();
        JsonNode params = body.path("sampling_params");
        JsonNode n = openAi ? body.path("n") : (params.isArray() ? params.path(0) : params).path("n");
        return (list ? prompts.size() : 1) * Math.max(1, n.asInt(1));
    }

    /**
     * The body of an attempt.
     *
     * @param prefill whether for the prefill half, whose own reply nobody reads
     */
    ObjectNode of(boolean prefill, String bootstrapHost, int bootstrapPort, long room, ReceivedOutput received) {
        ObjectNode attempt = copy(body);
        attempt.put("bootstrap_host", bootstrapHost);
        attempt.put("bootstrap_port", bootstrapPort);
        attempt.put("bootstrap_room", room);
        if (!received.isEmpty()) {
            attempt.set(RESUME, received.resume(sequences()));
        }
        if (prefill) {
            attempt.put("stream", false);
            attempt.remove("stream_options");
        }
        return attempt;
    }

    /** Output that the client itself brought along, one entry for each sequence; null if that is not what it is. */
    JsonNode ownResume() {
        JsonNode resume = body.path(RESUME);
        if (resume.isObject() && sequences() == 1) {
            return body.arrayNode().add(resume);
        }
        return resume.isArray() && resume.size() == sequences() ? resume : null;
    }

    /** Whether log probabilities are wanted, which {@code resume} does not carry. */
    boolean wantsLogprobs() {
        JsonNode asked = body.path(openAi ? "logprobs" : "return_logprob");
        return asked.isNumber() || asked.isArray() || asked.asBoolean(false);
    }

    /** Whether the client's name for it is this one. */
    boolean isNamed(String rid) {
        return body.path(RID).isTextual() && body.path(RID).textValue().equals(rid);
    }

    boolean idsWanted() {
        return idsWanted;
    }
}
