package dpserve.tokenizer;

import com.fasterxml.jackson.databind.JsonNode;
import dpserve.io.WireRid;
import dpserve.io.message.SamplingParams;
import dpserve.io.message.TokenizedGenerateReqInput;
import dpserve.io.model.Vocabulary;
import dpserve.tokenizer.SamplingParamsParser.Names;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;

/** Reads the body of {@code /generate}: SGLang's GenerateReqInput. */
public final class GenerateParser {
    /** Bounds names in logs, maps and messages. */
    static final int MAX_NAME_LENGTH = 512;

    private static final String[] UNSUPPORTED = {
        "input_embeds",
        "image_data",
        "video_data",
        "audio_data",
        "return_hidden_states",
        "lora_path",
        "session_params",
        "session_id",
        "custom_logit_processor",
        "return_routed_experts"
    };

    private final Vocabulary vocabulary;
    private final SamplingParamsParser samplingParser;
    private final PromptLimits limits;
    private final Supplier<String> newRid;

    /** @param newRid names requests whose client gave no rid */
    public GenerateParser(Vocabulary vocabulary, PromptLimits limits, Supplier<String> newRid) {
        this.vocabulary = vocabulary;
        this.samplingParser = new SamplingParamsParser(vocabulary);
        this.limits = limits;
        this.newRid = newRid;
    }

    /**
     * @throws BadRequest naming the field that is wrong
     */
    public GenerateRequest parse(JsonNode body) throws BadRequest {
        Fields f = Fields.ofBody(body);
        f.refuse(UNSUPPORTED);
        String field = f.get("text") != null ? "text" : "input_ids";
        List<int[]> prompts = new ArrayList<>();
        boolean batch = prompts(f, prompts);
        PromptLimits.checkBatch(field, prompts.size(), 1);
        List<String> rids = rids(f, prompts.size(), batch, newRid);
        boolean stream = f.bool("stream", false);
        SequenceSpec.Routing routing = routing(f, limits);
        SequenceSpec.Logprobs logprobs = logprobs(f);
        List<SequenceSpec> sequences = new ArrayList<>();
        List<SequenceSpec.Resume> resumes = null;
        int samples = -1;
        BatchParams together = new BatchParams();
        for (int i = 0; i < prompts.size(); i++) {
            int[] prompt = prompts.get(i);
            SamplingParams params = samplingParser.parse(
                    params(f, i, prompts.size()),
                    Names.SGLANG,
                    limits.defaultMaxTokens(SamplingParams.DEFAULT_MAX_NEW_TOKENS, prompt));
            limits.check(field, prompt, params, Names.SGLANG);
            if (samples >= 0 && samples != params.n()) {
                throw new BadRequest("sampling_params.n", "sampling_params.n must be the same for all prompts.");
            }
            samples = params.n();
            PromptLimits.checkBatch(field, prompts.size(), samples);
            together.add(params, samples);
            resumes = resumes == null
                    ? ResumeParser.parse(f, prompts.size() * samples, samplingParser, limits, logprobs)
                    : resumes;
            for (int sample = 0; sample < samples; sample++) {
                int at = sequences.size();
                sequences.add(new SequenceSpec(
                        rids.get(i), prompt, params, stream, routing.ofSequence(at), resumes.get(at), logprobs));
            }
        }
        return new GenerateRequest(sequences, prompts.size(), batch || samples > 1, stream);
    }

    private SequenceSpec.Logprobs logprobs(Fields f) throws BadRequest {
        JsonNode asked = f.get("return_logprob");
        if (asked != null && asked.isArray()) {
            f.refuse("return_logprob"); // one bool for each prompt: all false asks for nothing
            return null;
        }
        if (!f.bool("return_logprob", false)) {
            return null;
        }
        SequenceSpec.Logprobs wanted = limits.logprobs(
                "return_logprob",
                "top_logprobs_num",
                f.integer("top_logprobs_num", 0),
                f.bool("return_text_in_logprobs", false));
        if (f.integer("logprob_start_len", -1) != -1) {
            throw new BadRequest(
                    "logprob_start_len",
                    "logprob_start_len must be -1 on this server, which gives log probabilities of the output only.");
        }
        return wanted;
    }

    private boolean prompts(Fields f, List<int[]> prompts) throws BadRequest {
        JsonNode text = f.get("text");
        JsonNode ids = f.get("input_ids");
        if ((text == null) == (ids == null)) {
            throw new BadRequest("text", "Exactly one of text and input_ids must be given.");
        }
        if (text != null) {
            for (String prompt : f.textOrList("text")) {
                limits.checkText("text", prompt, vocabulary);
                prompts.add(vocabulary.encodePrompt(prompt));
            }
            return text.isArray();
        }
        boolean batch = ids.isArray() && !ids.isEmpty() && ids.get(0).isArray();
        if (batch) {
            for (JsonNode list : ids) {
                prompts.add(checked(f.integers(list, "input_ids")));
            }
        } else {
            prompts.add(checked(f.integers(ids, "input_ids")));
        }
        return batch;
    }

    private int[] checked(int[] ids) throws BadRequest {
        for (int id : ids) {
            samplingParser.checkId("input_ids", id);
        }
        return ids;
    }

    /** The object with one prompt's parameters, or null. */
    private static Fields params(Fields f, int index, int prompts) throws BadRequest {
        JsonNode node = f.get("sampling_params");
        if (node == null || !node.isArray()) {
            return f.object("sampling_params");
        }
        if (node.size() != prompts) {
            throw new BadRequest(
                    "sampling_params",
                    "sampling_params has " + node.size() + " entries, there are " + prompts + " prompts.");
        }
        if (!node.get(index).isObject()) {
            throw new BadRequest("sampling_params", "sampling_params must be an object or a list of objects.");
        }
        return new Fields(node.get(index), "sampling_params.");
    }

    /** As SGLang: one text for a batch becomes text_0, text_1, ... */
    static List<String> rids(Fields f, int prompts, boolean batch, Supplier<String> newRid) throws BadRequest {
        List<String> given = f.textOrList("rid");
        List<String> rids = new ArrayList<>();
        JsonNode node = f.get("rid");
        if (node != null && node.isArray() && given.size() != prompts) {
            throw new BadRequest("rid", "rid has " + given.size() + " entries, there are " + prompts + " prompts.");
        }
        for (int i = 0; i < prompts; i++) {
            if (node == null) {
                rids.add(newRid.get());
            } else if (node.isArray()) {
                rids.add(checkedRid(given.get(i)));
            } else {
                rids.add(checkedRid(batch ? given.get(0) + "_" + i : given.get(0)));
            }
        }
        return rids;
    }

    /** Checks a client's name for its request. */
    private static String checkedRid(String rid) throws BadRequest {
        if (rid.isEmpty() || rid.length() > MAX_NAME_LENGTH) {
            throw new BadRequest("rid", "rid must have 1 to " + MAX_NAME_LENGTH + " characters.");
        }
        if (rid.indexOf(WireRid.SEPARATOR) >= 0) {
            throw new BadRequest("rid", "rid must not contain the character U+001F.");
        }
        if (TokenizedGenerateReqInput.isHealthCheck(rid)) {
            throw new BadRequest("rid", "rid must not begin with HEALTH_CHECK: that names the server's own probes.");
        }
        return rid;
    }

    /** The routing fields that /generate and the OpenAI endpoints share. */
    static SequenceSpec.Routing routing(Fields f, PromptLimits limits) throws BadRequest {
        // The second is the name before 2026.
        String field = f.get("routed_dp_rank") != null ? "routed_dp_rank" : "data_parallel_rank";
        Integer rank = f.integer(field, null);
        limits.checkRank(field, rank);
        return new SequenceSpec.Routing(
                rank,
                f.integer("disagg_prefill_dp_rank", null),
                f.name("routing_key", MAX_NAME_LENGTH),
                f.integer("priority", null),
                f.name("extra_key", MAX_NAME_LENGTH),
                f.name("bootstrap_host", MAX_NAME_LENGTH),
                f.integer("bootstrap_port", null),
                f.longInteger("bootstrap_room"));
    }
}
