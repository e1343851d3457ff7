package dpserve.tokenizer;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import dpserve.io.message.SamplingParams;
import dpserve.io.model.Vocabulary;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Reads and checks sampling parameters, with SGLang's limits and normalization. */
public final class SamplingParamsParser {
    /** Below this temperature SGLang samples greedily. */
    static final double GREEDY_TEMPERATURE = 1e-6;

    /** SGLang's MAX_STOP_COUNT. */
    static final int MAX_STOP_STRINGS = 32;

    /** Bounds the bytes a rank compares with every token. */
    static final int MAX_STOP_LENGTH = 1024;

    /** Bounds what a rank compares with every token. */
    static final int MAX_STOP_TOKEN_IDS = 1024;

    /**
     * Token ids of a sequence's logit_bias: a rank keeps about 110 bytes for each while the sequence lives. OpenAI takes a few
     * hundred, SGLang any number.
     */
    static final int MAX_LOGIT_BIAS = 1024;

    /** Bounds what one request may start; far above any client's need. */
    public static final int MAX_N = 128;

    private static final int[] NO_IDS = {};

    private final Vocabulary vocabulary;

    /** @param vocabulary bounds token ids and measures stop strings */
    public SamplingParamsParser(Vocabulary vocabulary) {
        this.vocabulary = vocabulary;
    }

    /** Names that differ between the APIs. */
    public enum Names {
        SGLANG("max_new_tokens", "min_new_tokens"),
        OPENAI("max_tokens", "min_tokens");

        private final String maxTokens;
        private final String minTokens;

        Names(String maxTokens, String minTokens) {
            this.maxTokens = maxTokens;
            this.minTokens = minTokens;
        }

        /** The field that limits the reply. */
        String maxTokens() {
            return maxTokens;
        }
    }

    /**
     * @param given the object that holds the parameters; null for none
     * @param defaultMaxTokens where the request names none; null for as many as fit
     * @throws BadRequest naming the field that is wrong and its limit
     */
    public SamplingParams parse(Fields given, Names names, Integer defaultMaxTokens) throws BadRequest {
        Fields f = given == null ? new Fields(JsonNodeFactory.instance.objectNode(), "") : given;
        f.refuse("json_schema", "regex", "ebnf", "structural_tag", "stop_regex", "beam_width", "custom_params");
        double temperature = f.number("temperature", 1.0);
        int topK = f.integer("top_k", -1);
        if (temperature >= 0 && temperature < GREEDY_TEMPERATURE) {
            temperature = 1.0;
            topK = 1;
        }
        List<String> stops = f.textOrList("stop");
        int[] stopIds = f.integers("stop_token_ids");
        return check(
                new SamplingParams(
                        f.integer(names.maxTokens, defaultMaxTokens),
                        stopIds == null ? NO_IDS : stopIds,
                        temperature,
                        f.number("top_p", 1.0),
                        topK == -1 ? SamplingParams.TOP_K_ALL : topK,
                        f.number("min_p", 0.0),
                        f.number("frequency_penalty", 0.0),
                        f.number("presence_penalty", 0.0),
                        f.number("repetition_penalty", 1.0),
                        f.integer(names.minTokens, 0),
                        f.integer("n", 1),
                        f.bool("ignore_eos", false),
                        f.bool("skip_special_tokens", true),
                        f.bool("spaces_between_special_tokens", true),
                        f.bool("no_stop_trim", false),
                        f.integer("stream_interval", null),
                        logitBias(f),
                        samplingSeed(f),
                        stops,
                        longestInTokens(stops)),
                names);
    }

    private static Long samplingSeed(Fields f) throws BadRequest {
        Long seed = f.longInteger("sampling_seed");
        return seed != null ? seed : f.longInteger("seed");
    }

    private int longestInTokens(List<String> stops) throws BadRequest {
        if (stops.size() > MAX_STOP_STRINGS) {
            throw new BadRequest("stop", "stop may hold at most " + MAX_STOP_STRINGS + " strings.");
        }
        int longest = 0;
        for (String stop : stops) {
            if (stop.isEmpty() || stop.length() > MAX_STOP_LENGTH) {
                throw new BadRequest("stop", "Each stop string must have 1 to " + MAX_STOP_LENGTH + " characters.");
            }
            longest = Math.max(longest, vocabulary.encode(stop).length);
        }
        return longest;
    }

    private Map<String, Double> logitBias(Fields f) throws BadRequest {
        Fields bias = f.object("logit_bias");
        if (bias == null) {
            return null;
        }
        int entries = bias.node().size();
        if (entries > MAX_LOGIT_BIAS) {
            throw new BadRequest(
                    "logit_bias", "logit_bias may hold at most " + MAX_LOGIT_BIAS + " token ids, got " + entries + ".");
        }
        Map<String, Double> values = new LinkedHashMap<>();
        for (Map.Entry<String, JsonNode> entry : bias.node().properties()) {
            int id = tokenId(entry.getKey());
            checkId("logit_bias", id);
            // One spelling for each id: a rank would add "7" and "07" to the same token.
            if (values.put(Integer.toString(id), bias.number(entry.getKey(), 0)) != null) {
                throw new BadRequest("logit_bias", "logit_bias holds token id " + id + " twice.");
            }
        }
        return values;
    }

    private static int tokenId(String key) throws BadRequest {
        try {
            return Integer.parseInt(key);
        } catch (NumberFormatException e) {
            throw new BadRequest("logit_bias", "logit_bias must map token ids to numbers.");
        }
    }

    /**
     * Checks a token id.
     *
     * @param field named in the error
     */
    public void checkId(String field, int id) throws BadRequest {
        if (id < 0 || id >= vocabulary.size()) {
            throw new BadRequest(
                    field,
                    field + " holds token id " + id + ", the vocabulary has 0 to " + (vocabulary.size() - 1) + ".");
        }
    }

    private SamplingParams check(SamplingParams p, Names names) throws BadRequest {
        range("temperature", p.temperature(), 0, Double.MAX_VALUE);
        if (!(p.topP() > 0 && p.topP() <= 1)) {
            throw new BadRequest("top_p", "top_p must be in (0, 1], got " + p.topP() + ".");
        }
        range("min_p", p.minP(), 0, 1);
        if (p.topK() < 1) {
            throw new BadRequest("top_k", "top_k must be -1 (disable) or at least 1, got " + p.topK() + ".");
        }
        range("frequency_penalty", p.frequencyPenalty(), -2, 2);
        range("presence_penalty", p.presencePenalty(), -2, 2);
        if (!(p.repetitionPenalty() > 0 && p.repetitionPenalty() <= 2)) {
            throw new BadRequest(
                    "repetition_penalty", "repetition_penalty must be in (0, 2], got " + p.repetitionPenalty() + ".");
        }
        if (p.maxNewTokens() != null && p.maxNewTokens() < 0) {
            throw new BadRequest(
                    names.maxTokens, names.maxTokens + " must be at least 0, got " + p.maxNewTokens() + ".");
        }
        if (p.minNewTokens() < 0 || p.maxNewTokens() != null && p.minNewTokens() > p.maxNewTokens()) {
            throw new BadRequest(
                    names.minTokens,
                    names.minTokens + " must be in [0, " + names.maxTokens + "], got " + p.minNewTokens() + ".");
        }
        range("n", p.n(), 1, MAX_N);
        if (p.streamInterval() != null && p.streamInterval() < 1) {
            throw new BadRequest("stream_interval", "stream_interval must be at least 1.");
        }
        if (p.stopTokenIds().length > MAX_STOP_TOKEN_IDS) {
            throw new BadRequest(
                    "stop_token_ids", "stop_token_ids may hold at most " + MAX_STOP_TOKEN_IDS + " token ids.");
        }
        for (int id : p.stopTokenIds()) {
            checkId("stop_token_ids", id);
        }
        return p;
    }

    private static void range(String field, double value, double min, double max) throws BadRequest {
        if (!(value >= min && value <= max)) {
            String limit =
                    max == Double.MAX_VALUE ? "at least " + plain(min) : "between " + plain(min) + " and " + plain(max);
            throw new BadRequest(field, field + " must be " + limit + ", got " + plain(value) + ".");
        }
    }

    private static String plain(double value) {
        return value == Math.rint(value) && Math.abs(value) < Integer.MAX_VALUE
                ? Long.toString((long) value)
                : Double.toString(value);
    }
}
