package dpserve.router;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.TreeMap;
import java.util.function.IntFunction;

/**
 * What a client has been sent of a stream, by the index of each sequence: enough for another pair of servers to go on behind
 * it. Reads the events of {@code /generate}, whose text and ids are everything so far, and of the OpenAI endpoints,
 * whose are what is new. Pure.
 */
final class ReceivedOutput {
    private static final class Sequence {
        ArrayNode ids = JsonNodeFactory.instance.arrayNode();
        final StringBuilder text = new StringBuilder();
        boolean finished;
    }

    private final boolean openAi;
    private final TreeMap<Integer, Sequence> sequences = new TreeMap<>();

    ReceivedOutput(boolean openAi) {
        this.openAi = openAi;
    }

    /**
     * Takes an event that is to be sent on.
     *
     * @return false if it tells nothing new: the end of a sequence whose end the client has already
     */
    boolean take(JsonNode event) {
        return openAi ? takeChoices(event) : takeGenerate(event);
    }

    private boolean takeGenerate(JsonNode event) {
        Sequence s = at(event.path("index").asInt(0));
        if (s.finished) {
            return false;
        }
        JsonNode ids = event.path("output_ids");
        if (ids.size() == event.path("meta_info").path("completion_tokens").asInt()) {
            s.text.setLength(0);
            s.ids = JsonNodeFactory.instance.arrayNode();
        } // else --incremental-streaming-output: only what is new
        s.text.append(event.path("text").asText());
        ids.forEach(s.ids::add);
        s.finished = !event.path("meta_info").path("finish_reason").isNull();
        return true;
    }

    private boolean takeChoices(JsonNode event) {
        boolean news = event.path("choices").isEmpty(); // usage
        for (JsonNode choice : event.path("choices")) {
            Sequence s = at(choice.path("index").asInt(0));
            if (s.finished) {
                continue;
            }
            news = true;
            JsonNode text = choice.has("delta") ? choice.path("delta").path("content") : choice.path("text");
            // The role of a chat, and the prompt that echo asks for, come without ids.
            if (choice.has("token_ids")) {
                s.text.append(text.asText(""));
                choice.path("token_ids").forEach(s.ids::add);
            }
            s.finished = !choice.path("finish_reason").isNull();
        }
        return news;
    }

    private Sequence at(int index) {
        return sequences.computeIfAbsent(index, (Integer i) -> new Sequence());
    }

    /** Whether any output was taken. */
    boolean isEmpty() {
        return sequences.isEmpty();
    }

    /** The {@code resume} field for the next attempt: one entry for each of so many sequences, null where nothing came. */
    ArrayNode resume(int count) {
        ArrayNode all = JsonNodeFactory.instance.arrayNode();
        IntFunction<JsonNode> entry = i -> {
            Sequence s = sequences.get(i);
            if (s == null) {
                return JsonNodeFactory.instance.nullNode();
            }
            ObjectNode o = JsonNodeFactory.instance.objectNode();
            o.set("output_ids", s.ids);
            return o.put("text", s.text.toString());
        };
        for (int i = 0; i < count; i++) {
            all.add(entry.apply(i));
        }
        return all;
    }
}
