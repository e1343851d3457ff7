package dpserve.bench.client;

import static dpserve.bench.Flags.require;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Option;

/** The flags that shape a single request. Names and defaults are upstream's. */
public final class RequestOptions {
    private static final ObjectMapper JSON = new ObjectMapper();

    @Option(names = "--disable-stream", description = "Ask for replies in one piece; TTFT is then the whole latency.")
    public boolean disableStream;

    @Option(names = "--disable-ignore-eos", description = "Let replies end by themselves before their length.")
    public boolean disableIgnoreEos;

    @Option(names = "--temperature", defaultValue = "0.0", description = "Temperature (default: ${DEFAULT-VALUE}).")
    public double temperature;

    @Option(names = "--top-p", defaultValue = "1.0", description = "Nucleus sampling (default: ${DEFAULT-VALUE}).")
    public double topP;

    @Option(
            names = "--extra-request-body",
            paramLabel = "JSON",
            description = "Object put over every request's fields.")
    public String extraRequestBody;

    @Option(names = "--header", arity = "1..*", paramLabel = "NAME=VALUE", description = "HTTP headers of requests.")
    public List<String> header = List.of();

    @Option(names = "--cache-report", description = "Report how much of the prompts the prefix cache had.")
    public boolean cacheReport;

    /** Set from --tokenize-prompt, which the dataset needs too. */
    public boolean tokenizePrompt;

    /**
     * The extra fields; empty if none are given.
     *
     * @throws IllegalArgumentException if they are not a JSON object
     */
    ObjectNode extra() {
        if (extraRequestBody == null) {
            return JSON.createObjectNode();
        }
        try {
            JsonNode extra = JSON.readTree(extraRequestBody);
            if (extra instanceof ObjectNode object) {
                return object;
            }
        } catch (JsonProcessingException e) {
            throw new IllegalArgumentException("--extra-request-body is not JSON: " + e.getOriginalMessage());
        }
        throw new IllegalArgumentException("--extra-request-body must be a JSON object");
    }

    /**
     * The headers, with an API key from the environment as upstream sends it: OPENAI_API_KEY as a bearer token, else API_KEY
     * as it is.
     *
     * @throws IllegalArgumentException naming the entry that is not NAME=VALUE
     */
    public Map<String, String> headers(Map<String, String> environment) {
        Map<String, String> headers = new LinkedHashMap<>();
        if (environment.containsKey("OPENAI_API_KEY")) {
            headers.put("Authorization", "Bearer " + environment.get("OPENAI_API_KEY"));
        } else if (environment.containsKey("API_KEY")) {
            headers.put("Authorization", environment.get("API_KEY"));
        }
        for (int i = 0; i < header.size(); i++) {
            String entry = header.get(i);
            int equals = entry.indexOf('=');
            if (equals < 1) {
                // The entry itself may hold a key, so it is not repeated.
                throw new IllegalArgumentException("--header entry " + (i + 1) + " is not NAME=VALUE");
            }
            headers.put(entry.substring(0, equals), entry.substring(equals + 1));
        }
        return headers;
    }

    /**
     * @throws IllegalArgumentException naming the flag that is wrong
     */
    public void validate(Backend backend) {
        extra();
        headers(Map.of());
        require(temperature >= 0, "--temperature must not be negative, nor " + temperature);
        require(topP > 0 && topP <= 1, "--top-p must be above 0 and at most 1, not " + topP);
        require(!tokenizePrompt || backend.isNative(), "--tokenize-prompt needs --backend sglang");
    }
}
