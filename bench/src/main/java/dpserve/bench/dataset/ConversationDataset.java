package dpserve.bench.dataset;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.MappingIterator;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/**
 * sharegpt: a JSON array of conversations; custom: one conversation a line. The first message is the prompt, the second
 * gives the output length. Conversations under two messages are left out, as are, for custom, lines that are not JSON.
 */
final class ConversationDataset {
    /** Upstream refuses shorter fixed outputs. */
    static final int SHORTEST_FIXED_OUTPUT = 4;

    /** Upstream leaves out prompts and outputs shorter than this, tokens. */
    private static final int SHORTEST = 2;

    private static final String ASSISTANT = "Assistant:";
    private static final int SHUFFLE = 21;
    private static final ObjectMapper JSON = new ObjectMapper();

    private ConversationDataset() {}

    /** The first question and answer of a conversation. */
    record Turn(String prompt, String completion) {}

    static List<DatasetRow> load(DatasetOptions o, PromptTokens tokens, long seed) throws IOException {
        List<DatasetRow> rows = new ArrayList<>();
        for (Turn turn : o.name.equals("custom") ? custom(o.path, seed) : shareGpt(o.path, seed)) {
            if (rows.size() == o.numPrompts) {
                break;
            }
            String prompt = o.promptSuffix.isEmpty()
                    ? turn.prompt()
                    : withoutAssistant(turn.prompt()) + o.promptSuffix + ASSISTANT;
            int promptLen = tokens.encode(prompt).length;
            int outputLen = o.sharegptOutputLen != null ? o.sharegptOutputLen : tokens.encode(turn.completion()).length;
            boolean fits = o.sharegptContextLen == null || promptLen + outputLen <= o.sharegptContextLen;
            if (promptLen >= SHORTEST && outputLen >= SHORTEST && fits) {
                rows.add(new DatasetRow(new Prompt.Text(prompt), promptLen, outputLen));
            }
        }
        return rows;
    }

    private static String withoutAssistant(String text) {
        return text.endsWith(ASSISTANT) ? text.substring(0, text.length() - ASSISTANT.length()) : text;
    }

    /** All conversations of a ShareGPT file, shuffled. */
    static List<Turn> shareGpt(String path, long seed) throws IOException {
        List<Turn> turns = new ArrayList<>();
        try (BufferedReader in = open(path);
                MappingIterator<JsonNode> items = JSON.readerFor(JsonNode.class).readValues(in)) {
            while (items.hasNextValue()) {
                add(items.nextValue(), turns);
            }
        } catch (JsonProcessingException e) {
            throw new IllegalArgumentException(
                    "--dataset-path " + path + ": not a JSON array of conversations (" + e.getOriginalMessage() + ")");
        }
        Collections.shuffle(turns, Seeds.random(seed, SHUFFLE));
        return turns;
    }

    private static List<Turn> custom(String path, long seed) throws IOException {
        List<Turn> turns = new ArrayList<>();
        try (BufferedReader in = open(path)) {
            for (String line = in.readLine(); line != null; line = in.readLine()) {
                try {
                    add(JSON.readTree(line), turns);
                } catch (JsonProcessingException e) {
                    continue;
                }
            }
        }
        Collections.shuffle(turns, Seeds.random(seed, SHUFFLE));
        return turns;
    }

    private static void add(JsonNode item, List<Turn> turns) {
        JsonNode messages = item.has("conversations") ? item.path("conversations") : item.path("conversation");
        if (messages.size() >= 2) {
            turns.add(new Turn(content(messages.get(0)), content(messages.get(1))));
        }
    }

    private static String content(JsonNode message) {
        return message.path(message.has("content") ? "content" : "value").asText("");
    }

    private static BufferedReader open(String path) throws IOException {
        Path file = Path.of(path);
        if (!Files.isRegularFile(file)) {
            throw new IllegalArgumentException("--dataset-path " + path + ": no such file");
        }
        return Files.newBufferedReader(file, StandardCharsets.UTF_8);
    }
}
