package dpserve.router;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.util.TreeMap;

/**
 * What a client has been sent of a stream, by the index of each sequence: enough for another pair of servers to go on behind
 * it. Reads the events of {@code /generate}, whose text and ids are everything so far (or, with
 * {@code --incremental-streaming-output}, what is new), and of the OpenAI endpoints, whose are what is new. Pure.
 *
 * <p>Events that hold everything so far are long, and only the last one counts: of a stream of one sequence it is kept as it
 * came and read only when it is needed.
 */
final class ReceivedOutput {
    private static final ObjectMapper JSON = new ObjectMapper();

    private static final class Sequence {
        ArrayNode ids = JsonNodeFactory.instance.arrayNode();
        final StringBuilder text = new StringBuilder();

        /** Why it ended, as {@code /generate} has it; null while it goes on. */
        JsonNode end;

        /** Whether it has made output in the attempt under way. */
        boolean begun;
    }

    private final boolean openAi;
    private final boolean single;

    /** Whether the client itself wants token ids in OpenAI's chunks. */
    private final boolean idsWanted;

    private final TreeMap<Integer, Sequence> sequences = new TreeMap<>();

    /** Events read since the attempt began; from the second on they tell whether each holds everything so far. */
    private int read;

    private boolean cumulative;

    /** The last event of a stream whose events are kept as they come; null if it has been read. */
    private byte[] last;

    ReceivedOutput(boolean openAi, boolean single, boolean idsWanted) {
        this.openAi = openAi;
        this.single = single;
        this.idsWanted = idsWanted;
    }

    /**
     * Takes an event.
     *
     * @return what the client is to see of it, or null if that is nothing: the end of a sequence whose end it has already
     * @throws IOException if it is no JSON
     */
    byte[] take(byte[] event) throws IOException {
        if (!openAi && single && cumulative) {
            last = event;
            return event;
        }
        JsonNode node = JSON.readTree(event);
        if (!openAi) {
            return takeGenerate(node) ? event : null;
        }
        if (!takeChoices(node)) {
            return null;
        }
        if (idsWanted) {
            return event;
        }
        node.path("choices").forEach(choice -> ((ObjectNode) choice).remove("token_ids"));
        return JSON.writeValueAsBytes(node);
    }

    /** Output that the client had before the first attempt, one entry for each sequence. */
    void begin(JsonNode resume) {
        for (int i = 0; i < resume.size(); i++) {
            if (resume.get(i).isObject()) {
                Sequence s = at(i);
                s.text.append(resume.get(i).path("text").asText(""));
                resume.get(i).path("output_ids").forEach(s.ids::add);
                s.end = orNull(resume.get(i).path("finish_reason"));
            }
        }
    }

    private static JsonNode orNull(JsonNode node) {
        return node.isMissingNode() || node.isNull() ? null : node;
    }

    /** Whether each of so many sequences has made output in this attempt, or has ended. */
    boolean hasBegun(int count) {
        int begun = 0;
        for (Sequence s : sequences.values()) {
            begun += s.begun || s.end != null ? 1 : 0;
        }
        return begun >= count;
    }

    /** Another attempt begins: its events may be of the other kind. */
    void beginAttempt() {
        readLast();
        sequences.values().forEach(s -> s.begun = false);
        read = 0;
        cumulative = false;
    }

    private void readLast() {
        if (last != null) {
            try {
                takeGenerate(JSON.readTree(last));
            } catch (IOException e) {
                throw new IllegalStateException("the server sent an event that is no JSON", e);
            }
            last = null;
        }
    }

    private boolean takeGenerate(JsonNode event) {
        Sequence s = at(event.path("index").asInt(0));
        if (s.end != null) {
            return false;
        }
        s.begun = true;
        JsonNode ids = event.path("output_ids");
        boolean whole =
                ids.size() == event.path("meta_info").path("completion_tokens").asInt();
        cumulative = ++read > 1 && whole;
        if (whole) {
            s.text.setLength(0);
            s.ids = JsonNodeFactory.instance.arrayNode();
        }
        s.text.append(event.path("text").asText());
        ids.forEach(s.ids::add);
        s.end = orNull(event.path("meta_info").path("finish_reason"));
        return true;
    }

    private boolean takeChoices(JsonNode event) {
        boolean news = event.path("choices").isEmpty(); // usage
        for (JsonNode choice : event.path("choices")) {
            Sequence s = at(choice.path("index").asInt(0));
            if (s.end != null) {
                continue;
            }
            news = true;
            s.begun = true;
            JsonNode text = choice.has("delta") ? choice.path("delta").path("content") : choice.path("text");
            // The role of a chat, and the prompt that echo asks for, come without ids.
            if (choice.has("token_ids")) {
                s.text.append(text.asText(""));
                choice.path("token_ids").forEach(s.ids::add);
            }
            if (choice.hasNonNull("finish_reason")) {
                s.end = JsonNodeFactory.instance
                        .objectNode()
                        .put("type", choice.path("finish_reason").asText())
                        .set("matched", choice.path("matched_stop"));
            }
        }
        return news;
    }

    private Sequence at(int index) {
        return sequences.computeIfAbsent(index, i -> new Sequence());
    }

    /** Whether nothing was taken yet. */
    boolean isEmpty() {
        return sequences.isEmpty();
    }

    /** The {@code resume} field for the next attempt: one entry for each of so many sequences, null where nothing came. */
    ArrayNode resume(int count) {
        readLast();
        ArrayNode all = JsonNodeFactory.instance.arrayNode();
        for (int i = 0; i < count; i++) {
            Sequence s = sequences.get(i);
            if (s == null) {
                all.addNull();
            } else {
                ObjectNode entry = all.addObject().put("text", s.text.toString());
                entry.set("output_ids", s.ids);
                if (s.end != null) {
                    entry.set("finish_reason", s.end);
                }
            }
        }
        return all;
    }
}
