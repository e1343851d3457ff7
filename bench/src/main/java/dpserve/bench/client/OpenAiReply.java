package dpserve.bench.client;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;

/** Reads replies of /v1/completions and /v1/chat/completions: events are small, each with the text that is new. */
final class OpenAiReply extends ReplyReader {
    private static final ObjectMapper JSON = new ObjectMapper();

    private final StringBuilder text = new StringBuilder();

    @Override
    String text() {
        return text.toString();
    }

    @Override
    void event(byte[] bytes, int from, int to, long nowNs) throws IOException {
        JsonNode event = JSON.readTree(bytes, from, to - from);
        String fresh = read(event, "delta");
        if (!fresh.isEmpty()) {
            text.append(fresh);
            timeline.chunk(nowNs);
        }
    }

    @Override
    void whole(byte[] body, long nowNs) throws IOException {
        text.append(read(JSON.readTree(body), "message"));
        timeline.chunk(nowNs);
    }

    private String read(JsonNode event, String chatField) {
        JsonNode error = event.path("object").asText().equals("error") ? event : event.path("error");
        if (error.isObject()) {
            failure = error.path("message").asText("an error without a message");
            return "";
        }
        JsonNode usage = event.path("usage");
        promptTokens = usage.path("prompt_tokens").asInt(promptTokens);
        completionTokens = usage.path("completion_tokens").asInt(completionTokens);
        cachedTokens = usage.path("prompt_tokens_details").path("cached_tokens").asInt(cachedTokens);
        rid = event.path("id").asText(rid);
        takeStages(event.path("sglext").path("stages").path(0));

        JsonNode choice = event.path("choices").path(0);
        JsonNode reason = choice.path("finish_reason");
        if (finished && !choice.isMissingNode()) {
            anomaly = "an event after the last";
        }
        if (reason.isTextual()) {
            finished = true;
            if (reason.asText().equals("abort")) {
                failure = "aborted";
            }
        }
        JsonNode message = choice.path(chatField);
        if (message.isMissingNode()) {
            return choice.path("text").asText("");
        }
        // Reasoning models stream their thoughts in a field of their own; they are output like any other.
        return message.path("reasoning_content").asText("")
                + message.path("content").asText("");
    }
}
