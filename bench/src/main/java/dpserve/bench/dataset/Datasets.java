package dpserve.bench.dataset;

import static dpserve.bench.Flags.require;

import java.io.IOException;
import java.util.List;
import java.util.Set;

/** The datasets by name. A dataset is a pure function of its flags, its file, the vocabulary and the seed. */
public final class Datasets {
    static final String NAMES = "sharegpt, custom, random, random-ids, generated-shared-prefix, mooncake or azure";

    /** Datasets whose rows carry arrival times. */
    private static final Set<String> TRACES = Set.of("mooncake", "azure");

    /** Datasets that are text in a file. */
    private static final Set<String> CONVERSATIONS = Set.of("sharegpt", "custom");

    private static final Set<String> GENERATED = Set.of("random", "random-ids", "generated-shared-prefix");

    private Datasets() {}

    /**
     * Checks the flags without reading a file.
     *
     * @throws IllegalArgumentException naming the flag that is wrong
     */
    public static void validate(DatasetOptions o) {
        boolean fromFile = TRACES.contains(o.name) || CONVERSATIONS.contains(o.name);
        require(fromFile || GENERATED.contains(o.name), "--dataset-name must be " + NAMES + ", not " + o.name);
        require(
                !fromFile || !o.path.isEmpty(),
                "--dataset-name " + o.name + " needs --dataset-path; --dataset-name random needs no file");
        require(o.numPrompts >= 1, "--num-prompts must be at least 1, not " + o.numPrompts);
        require(o.randomInputLen >= 1, "--random-input-len must be at least 1 token, not " + o.randomInputLen);
        require(o.randomOutputLen >= 1, "--random-output-len must be at least 1 token, not " + o.randomOutputLen);
        requireRatio("--random-range-ratio", o.randomRangeRatio);
        require(
                o.sharegptOutputLen == null || o.sharegptOutputLen >= ConversationDataset.SHORTEST_FIXED_OUTPUT,
                "--sharegpt-output-len must be at least " + ConversationDataset.SHORTEST_FIXED_OUTPUT + " tokens");
        require(
                !o.tokenizePrompt || !CONVERSATIONS.contains(o.name),
                "--tokenize-prompt does not go with --dataset-name " + o.name);
        if (o.name.equals("generated-shared-prefix")) {
            validate(o.gsp, o.tokenizePrompt);
        }
    }

    private static void validate(SharedPrefixOptions g, boolean tokenizePrompt) {
        require(g.numGroups >= 1, "--gsp-num-groups must be at least 1, not " + g.numGroups);
        require(g.promptsPerGroup >= 1, "--gsp-prompts-per-group must be at least 1, not " + g.promptsPerGroup);
        require(g.systemPromptLen >= 1, "--gsp-system-prompt-len must be at least 1 token, not " + g.systemPromptLen);
        require(g.questionLen >= 1, "--gsp-question-len must be at least 1 token, not " + g.questionLen);
        require(g.outputLen >= 1, "--gsp-output-len must be at least 1 token, not " + g.outputLen);
        require(g.numTurns >= 1, "--gsp-num-turns must be at least 1, not " + g.numTurns);
        require(g.numTurns == 1 || !tokenizePrompt, "--tokenize-prompt requires --gsp-num-turns 1");
        requireRatio("--gsp-range-ratio", g.rangeRatio);
        switch (g.groupDistribution) {
            case "uniform" ->
                require(
                        g.zipfAlpha == null,
                        "--gsp-zipf-alpha means something only with --gsp-group-distribution zipf");
            case "zipf" ->
                require(
                        g.zipfAlpha != null && g.zipfAlpha > 0 && Double.isFinite(g.zipfAlpha),
                        "--gsp-group-distribution zipf needs --gsp-zipf-alpha above 0");
            default ->
                throw new IllegalArgumentException(
                        "--gsp-group-distribution must be uniform or zipf, not " + g.groupDistribution);
        }
    }

    private static void requireRatio(String flag, double ratio) {
        require(ratio >= 0 && ratio <= 1, flag + " must be 0 to 1, not " + ratio);
    }

    /** Whether the rows carry arrival times. */
    public static boolean hasTimestamps(DatasetOptions o) {
        return TRACES.contains(o.name);
    }

    /**
     * The rows, in the order they are sent (by time for a trace).
     *
     * @throws IllegalArgumentException if a flag is wrong or the file's content is not in the format
     * @throws IOException if the file cannot be read
     */
    public static List<DatasetRow> load(DatasetOptions o, PromptTokens tokens, long seed) throws IOException {
        validate(o);
        List<DatasetRow> rows = switch (o.name) {
            case "sharegpt", "custom" -> ConversationDataset.load(o, tokens, seed);
            case "random", "random-ids" -> RandomDataset.generate(o, tokens, seed);
            case "generated-shared-prefix" -> SharedPrefixDataset.generate(o.gsp, o.tokenizePrompt, tokens, seed);
            default -> trace(o.name, o.path, o.numPrompts, seed);
        };
        require(!rows.isEmpty(), "--dataset-path " + o.path + ": no usable row in it");
        return rows;
    }

    /**
     * The first rows of a trace, by time. Traces have no text, so no vocabulary is needed.
     *
     * @param format mooncake or azure
     * @throws IllegalArgumentException if the file's content is not in the format
     */
    public static List<DatasetRow> trace(String format, String path, int limit, long seed) throws IOException {
        return format.equals("mooncake")
                ? TraceDataset.mooncake(path, limit, seed)
                : TraceDataset.azure(path, limit, seed);
    }
}
