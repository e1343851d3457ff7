package dpserve.tokenizer;

import com.fasterxml.jackson.databind.JsonNode;
import dpserve.io.message.FinishReason;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/**
 * Reads {@code resume}: an object, or a list with one for each sequence of the reply (null for one that begins), of
 * {@code output_ids} and {@code text}, and of one that has ended {@code finish_reason}, as {@code /generate} has it. A PD router gives it when it sends a request to another pair.
 */
final class ResumeParser {
    static final String FIELD = "resume";

    private ResumeParser() {}

    /** As many entries as sequences, each of which may be null. */
    static List<SequenceSpec.Resume> parse(
            Fields f, int sequences, SamplingParamsParser ids, PromptLimits limits, SequenceSpec.Logprobs logprobs)
            throws BadRequest {
        JsonNode node = f.get(FIELD);
        if (node == null) {
            return Collections.nCopies(sequences, null);
        }
        if (logprobs != null) {
            throw new BadRequest(
                    FIELD, FIELD + " does not go with log probabilities: those of its output are not known.");
        }
        List<JsonNode> entries = new ArrayList<>();
        if (node.isArray()) {
            node.forEach(entries::add);
        } else {
            entries.add(node);
        }
        if (entries.size() != sequences) {
            throw new BadRequest(
                    FIELD, FIELD + " has " + entries.size() + " entries, there are " + sequences + " sequences.");
        }
        List<SequenceSpec.Resume> all = new ArrayList<>();
        for (JsonNode entry : entries) {
            all.add(entry.isNull() ? null : one(entry, ids, limits));
        }
        return all;
    }

    private static SequenceSpec.Resume one(JsonNode entry, SamplingParamsParser ids, PromptLimits limits)
            throws BadRequest {
        if (!entry.isObject()) {
            throw new BadRequest(FIELD, FIELD + " must be an object or a list of objects.");
        }
        Fields f = new Fields(entry, FIELD + ".");
        int[] outputIds = f.get("output_ids") == null ? new int[0] : f.integers("output_ids");
        if (outputIds.length > limits.contextLength()) {
            throw new BadRequest(
                    FIELD,
                    FIELD + ".output_ids holds " + outputIds.length + " tokens, the context has "
                            + limits.contextLength() + ".");
        }
        for (int id : outputIds) {
            ids.checkId(FIELD + ".output_ids", id);
        }
        Fields end = f.object("finish_reason");
        return new SequenceSpec.Resume(outputIds, f.text("text", ""), end == null ? null : end(end, outputIds.length));
    }

    private static FinishReason end(Fields f, int made) throws BadRequest {
        String type = f.text("type", "");
        JsonNode matched = f.get("matched");
        return switch (type) {
            case "length" -> new FinishReason.Length(made);
            case "abort" -> new FinishReason.Abort(f.text("message", "Aborted"), null, null);
            case "stop" ->
                matched != null && matched.isInt()
                        ? new FinishReason.StopToken(matched.intValue())
                        : new FinishReason.StopString(f.text("matched", ""));
            default ->
                throw new BadRequest(FIELD, FIELD + ".finish_reason.type must be stop, length or abort, not " + type);
        };
    }
}
