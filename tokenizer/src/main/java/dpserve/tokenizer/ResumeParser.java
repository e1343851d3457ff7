package dpserve.tokenizer;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/**
 * Reads {@code resume}: an object, or a list with one for each sequence of the reply (null for one that begins), of
 * {@code output_ids} and {@code text}. A PD router gives it when it sends a request to another pair.
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
        return new SequenceSpec.Resume(outputIds, f.text("text", ""));
    }
}
