package dpserve.bench.fuzz;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dpserve.tokenizer.BadRequest;
import dpserve.tokenizer.GenerateParser;
import dpserve.tokenizer.JtokkitVocabulary;
import dpserve.tokenizer.OpenAiParser;
import dpserve.tokenizer.PromptLimits;
import java.io.IOException;

/** What the parsers of request bodies must bear: any bytes. For Jazzer and {@link CorpusTest}. */
public final class BodyTarget {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final PromptLimits LIMITS = new PromptLimits(1000, () -> 4);
    private static final JtokkitVocabulary VOCABULARY = new JtokkitVocabulary();
    private static final GenerateParser GENERATE = new GenerateParser(VOCABULARY, LIMITS, () -> "r");
    private static final OpenAiParser OPEN_AI = new OpenAiParser(VOCABULARY, LIMITS, () -> "r");

    private BodyTarget() {}

    /** One of the parsers. */
    private interface Parser {
        Object parse(JsonNode body) throws BadRequest;
    }

    /** Throws anything but a BadRequest only for a defect. */
    public static void fuzzerTestOneInput(byte[] data) {
        JsonNode body;
        try {
            body = JSON.readTree(data);
        } catch (IOException e) {
            return; // no JSON
        }
        if (body != null && !body.isMissingNode()) {
            parse(GENERATE::parse, body);
            parse(b -> OPEN_AI.parseCompletion(b, "simulated"), body);
            parse(b -> OPEN_AI.parseChat(b, "simulated"), body);
        }
    }

    private static void parse(Parser parser, JsonNode body) {
        try {
            parser.parse(body);
        } catch (BadRequest e) {
            // told to the client
        }
    }
}
