package dpserve.tokenizer;

import com.fasterxml.jackson.databind.JsonNode;
import dpserve.io.message.SamplingParams;
import dpserve.io.model.ChatTurn;
import dpserve.io.model.Vocabulary;
import dpserve.tokenizer.SamplingParamsParser.Names;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Supplier;

/** Reads the bodies of {@code /v1/completions} and {@code /v1/chat/completions}. */
public final class OpenAiParser {
    /** OpenAI's default for completions. */
    static final int DEFAULT_COMPLETION_TOKENS = 16;

    /** Bounds a chat; far above any real one. */
    static final int MAX_MESSAGES = 10_000;

    private static final Set<String> ROLES =
            new TreeSet<>(Set.of("system", "developer", "user", "assistant", "tool", "function"));

    private final Vocabulary vocabulary;
    private final SamplingParamsParser samplingParser;
    private final PromptLimits limits;
    private final Supplier<String> newRid;

    public OpenAiParser(Vocabulary vocabulary, PromptLimits limits, Supplier<String> newRid) {
        this.vocabulary = vocabulary;
        this.samplingParser = new SamplingParamsParser(vocabulary);
        this.limits = limits;
        this.newRid = newRid;
    }

    /**
     * A request to an OpenAI endpoint.
     *
     * @param model the name the client used, given back in the reply
     * @param includeUsage whether a stream ends with a usage chunk
     * @param continuousUsage whether every chunk carries usage
     * @param returnTokenIds whether each choice carries the ids of its new tokens, as {@code token_ids}
     * @param returnStages whether the reply says where the time went
     * @param echo completions: whether the prompt's text comes before the reply; then one text per prompt
     */
    public record OpenAiRequest(
            GenerateRequest generate,
            String model,
            boolean includeUsage,
            boolean continuousUsage,
            boolean returnTokenIds,
            boolean returnStages,
            List<String> echo) {}

    /** {@code /v1/completions}. */
    public OpenAiRequest parseCompletion(JsonNode body, String servedModel) throws BadRequest {
        Fields f = Fields.ofBody(body);
        f.refuse("suffix", "lora_path");
        SequenceSpec.Logprobs logprobs = completionLogprobs(f);
        refuseStructuredReplies(f);
        if (f.integer("best_of", 1) != 1) {
            throw new BadRequest("best_of", "best_of must be 1 on this server.");
        }
        List<int[]> prompts = new ArrayList<>();
        boolean batch = completionPrompts(f, prompts);
        boolean echo = f.bool("echo", false);
        List<String> echoed = new ArrayList<>();
        if (echo) {
            for (int[] prompt : prompts) {
                echoed.add(vocabulary.text(prompt));
            }
        }
        return request(
                f, "prompt", prompts, batch, DEFAULT_COMPLETION_TOKENS, servedModel, echo ? echoed : null, logprobs);
    }

    /** Here, unlike elsewhere, 0 asks for something: the chosen tokens' own. */
    private SequenceSpec.Logprobs completionLogprobs(Fields f) throws BadRequest {
        JsonNode wanted = f.get("logprobs");
        if (wanted == null || wanted.isBoolean() && !wanted.booleanValue()) {
            return null;
        }
        if (f.bool("echo", false)) {
            throw new BadRequest("logprobs", "logprobs of an echoed prompt are not supported by this server.");
        }
        return limits.logprobs("logprobs", "logprobs", wanted.isBoolean() ? 0 : f.integer("logprobs", 0), true);
    }

    /** Whether the prompt is a list of prompts. */
    private boolean completionPrompts(Fields f, List<int[]> prompts) throws BadRequest {
        JsonNode prompt = f.get("prompt");
        if (prompt == null) {
            throw new BadRequest("prompt", "prompt is required.");
        }
        boolean ofIds = prompt.isArray() && !prompt.isEmpty() && prompt.get(0).isNumber();
        if (ofIds) {
            prompts.add(checked(f.integers("prompt")));
        } else if (prompt.isArray() && !prompt.isEmpty() && prompt.get(0).isArray()) {
            for (JsonNode ids : prompt) {
                prompts.add(checked(f.integers(ids, "prompt")));
            }
        } else {
            for (String text : f.textOrList("prompt")) {
                limits.checkText("prompt", text, vocabulary);
                prompts.add(vocabulary.encodePrompt(text));
            }
        }
        return prompt.isArray() && !ofIds;
    }

    private int[] checked(int[] ids) throws BadRequest {
        for (int id : ids) {
            samplingParser.checkId("prompt", id);
        }
        return ids;
    }

    /** {@code /v1/chat/completions}. */
    public OpenAiRequest parseChat(JsonNode body, String servedModel) throws BadRequest {
        Fields f = Fields.ofBody(body);
        f.refuse("tools", "functions", "audio", "prediction", "lora_path");
        refuseStructuredReplies(f);
        List<ChatTurn> turns = turns(f);
        limits.checkChat("messages", turns, vocabulary);
        List<int[]> prompt = List.of(chatPrompt(turns));
        // As many as fit, unless the client says otherwise.
        return request(f, "messages", prompt, false, limits.contextLength(), servedModel, null, chatLogprobs(f));
    }

    private SequenceSpec.Logprobs chatLogprobs(Fields f) throws BadRequest {
        Integer top = f.integer("top_logprobs", 0);
        if (f.bool("logprobs", false)) {
            return limits.logprobs("logprobs", "top_logprobs", top, true);
        }
        if (top != 0) {
            throw new BadRequest("top_logprobs", "top_logprobs needs logprobs: true.");
        }
        return null;
    }

    private int[] chatPrompt(List<ChatTurn> turns) throws BadRequest {
        try {
            return vocabulary.encodeChat(turns);
        } catch (IllegalArgumentException e) {
            throw new BadRequest("messages", "messages do not fit the model's chat template: " + e.getMessage());
        }
    }

    private static void refuseStructuredReplies(Fields f) throws BadRequest {
        Fields format = f.object("response_format");
        if (format != null && !"text".equals(format.text("type", "text"))) {
            throw new BadRequest("response_format", "response_format must be {\"type\": \"text\"} on this server.");
        }
    }

    private static List<ChatTurn> turns(Fields f) throws BadRequest {
        JsonNode messages = f.get("messages");
        if (messages == null || !messages.isArray() || messages.isEmpty() || messages.size() > MAX_MESSAGES) {
            throw new BadRequest("messages", "messages must be a list of 1 to " + MAX_MESSAGES + " messages.");
        }
        List<ChatTurn> turns = new ArrayList<>();
        for (int i = 0; i < messages.size(); i++) {
            if (!messages.get(i).isObject()) {
                throw new BadRequest("messages", "messages[" + i + "] must be an object.");
            }
            Fields message = new Fields(messages.get(i), "messages[" + i + "].");
            String role = message.text("role", null);
            if (role == null) {
                throw new BadRequest("messages", "messages[" + i + "].role is required.");
            }
            if (!ROLES.contains(role)) {
                throw new BadRequest("messages", "messages[" + i + "].role must be one of " + ROLES + ".");
            }
            turns.add(new ChatTurn(role, content(message, i)));
        }
        return turns;
    }

    private static String content(Fields message, int index) throws BadRequest {
        JsonNode content = message.get("content");
        if (content == null) {
            return "";
        }
        if (!content.isArray()) {
            return message.text("content", "");
        }
        StringBuilder text = new StringBuilder();
        for (JsonNode part : content) {
            JsonNode partText = part.get("text");
            if (!"text".equals(part.path("type").asText()) || partText == null || !partText.isTextual()) {
                throw new BadRequest("messages", "messages[" + index + "].content may hold parts of type text only.");
            }
            text.append(message.wellFormed("content", partText.textValue()));
        }
        return text.toString();
    }

    private OpenAiRequest request(
            Fields f,
            String field,
            List<int[]> prompts,
            boolean batch,
            int defaultTokens,
            String servedModel,
            List<String> echo,
            SequenceSpec.Logprobs logprobs)
            throws BadRequest {
        boolean stream = f.bool("stream", false);
        Fields options = f.object("stream_options");
        boolean continuous = options != null && options.bool("continuous_usage_stats", false);
        boolean usage = options != null && options.bool("include_usage", false);
        SequenceSpec.Routing routing = GenerateParser.routing(f, limits);
        int samples = f.integer("n", 1);
        PromptLimits.checkBatch(field, prompts.size(), samples);
        List<String> rids = GenerateParser.rids(f, prompts.size(), batch, newRid);
        List<SequenceSpec> sequences = new ArrayList<>();
        List<SequenceSpec.Resume> resumes =
                ResumeParser.parse(f, prompts.size() * samples, samplingParser, limits, logprobs);
        BatchParams together = new BatchParams();
        for (int i = 0; i < prompts.size(); i++) {
            int[] prompt = prompts.get(i);
            int unlessGiven = limits.defaultMaxTokens(defaultTokens, prompt);
            SamplingParams params =
                    samplingParser.parse(f, Names.OPENAI, f.integer("max_completion_tokens", unlessGiven));
            limits.check(field, prompt, params, Names.OPENAI);
            together.add(params, samples);
            for (int sample = 0; sample < samples; sample++) {
                int at = sequences.size();
                sequences.add(new SequenceSpec(
                        rids.get(i), prompt, params, stream, routing.ofSequence(at), resumes.get(at), logprobs));
            }
        }
        return new OpenAiRequest(
                new GenerateRequest(sequences, prompts.size(), true, stream),
                f.text("model", servedModel),
                usage,
                continuous,
                f.bool("return_token_ids", false),
                f.bool("return_stages", false),
                echo);
    }
}
