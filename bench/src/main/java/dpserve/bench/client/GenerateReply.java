package dpserve.bench.client;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * Reads replies of /generate. Text and output_ids are cumulative, so parsing every event whole would cost time quadratic in
 * the reply's length: once text has begun, an event gives only its token count and whether it is the last, both found from
 * its end, where meta_info stands. The first events and the last are parsed whole.
 */
final class GenerateReply extends ReplyReader {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final byte[] COMPLETION_TOKENS = "\"completion_tokens\":".getBytes(StandardCharsets.US_ASCII);
    private static final byte[] FINISH_REASON = "\"finish_reason\":".getBytes(StandardCharsets.US_ASCII);

    private String text = "";

    @Override
    String text() {
        return text;
    }

    @Override
    void event(byte[] bytes, int from, int to, long nowNs) throws IOException {
        int before = completionTokens;
        if (finished) {
            anomaly = "an event after the last";
        }
        if (!timeline.started() || !skim(bytes, from, to)) {
            parse(JSON.readTree(bytes, from, to - from));
        }
        if (completionTokens < before) {
            anomaly = "completion_tokens went from " + before + " back to " + completionTokens;
        }
        if (failure == null && !text.isEmpty()) {
            timeline.text(nowNs, completionTokens);
        }
    }

    @Override
    void whole(byte[] body, long nowNs) throws IOException {
        event(body, 0, body.length, nowNs);
    }

    /** Takes the token count of an event that is not the last; false if the event has to be parsed. */
    private boolean skim(byte[] bytes, int from, int to) {
        int reason = valueOfLast(FINISH_REASON, bytes, from, to);
        int count = valueOfLast(COMPLETION_TOKENS, bytes, from, to);
        if (reason < 0 || count < 0 || bytes[reason] != 'n') {
            return false;
        }
        int n = 0;
        for (int i = count; i < to && bytes[i] >= '0' && bytes[i] <= '9'; i++) {
            n = n * 10 + bytes[i] - '0';
        }
        completionTokens = n;
        return true;
    }

    /**
     * Where the value of the key's last occurrence begins, or -1. Inside a JSON string a key's closing quote has a backslash
     * before it, so generated text cannot be taken for a key.
     */
    private static int valueOfLast(byte[] quotedKey, byte[] bytes, int from, int to) {
        int last = quotedKey.length - 1;
        for (int at = to - quotedKey.length - 2; at >= from; at--) {
            if (bytes[at + last] == ':' && Arrays.equals(bytes, at, at + last, quotedKey, 0, last)) {
                return bytes[at + last + 1] == ' ' ? at + last + 2 : at + last + 1;
            }
        }
        return -1;
    }

    private void parse(JsonNode event) {
        JsonNode error = event.path("error");
        if (!error.isMissingNode()) {
            failure = error.path("message").asText(error.asText("an error without a message"));
            return;
        }
        text = event.path("text").asText("");
        JsonNode ids = event.path("output_ids");
        if (ids.isArray()) {
            outputIds = new int[ids.size()];
            Arrays.setAll(outputIds, i -> ids.get(i).asInt());
        }
        JsonNode meta = event.path("meta_info");
        rid = meta.path("id").asText(rid);
        promptTokens = meta.path("prompt_tokens").asInt(promptTokens);
        completionTokens = meta.path("completion_tokens").asInt(completionTokens);
        cachedTokens = meta.path("cached_tokens").asInt(cachedTokens);
        dpRank = meta.path("dp_rank").asInt(dpRank);
        takeStages(meta.path("stages"));
        JsonNode reason = meta.path("finish_reason");
        if (!reason.isMissingNode() && !reason.isNull()) {
            finished = true;
            if (reason.path("type").asText().equals("abort")) {
                failure = "aborted: " + reason.path("message").asText();
            }
        }
    }
}
