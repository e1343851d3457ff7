package dpserve.bench.dataset;

import picocli.CommandLine.Option;

/** The flags of the dataset generated-shared-prefix. Names and defaults are upstream's. Lengths in tokens. */
public final class SharedPrefixOptions {
    private static final String BY_DEFAULT = " (default: ${DEFAULT-VALUE}).";

    @Option(names = "--gsp-num-groups", defaultValue = "64", description = "Groups with one system prompt" + BY_DEFAULT)
    public int numGroups;

    @Option(names = "--gsp-prompts-per-group", defaultValue = "16", description = "Prompts per group" + BY_DEFAULT)
    public int promptsPerGroup;

    @Option(
            names = "--gsp-system-prompt-len",
            defaultValue = "2048",
            description = "System prompt, tokens" + BY_DEFAULT)
    public int systemPromptLen;

    @Option(names = "--gsp-question-len", defaultValue = "128", description = "Question, tokens" + BY_DEFAULT)
    public int questionLen;

    @Option(names = "--gsp-output-len", defaultValue = "256", description = "Output, tokens" + BY_DEFAULT)
    public int outputLen;

    @Option(names = "--gsp-range-ratio", defaultValue = "1.0", description = "As --random-range-ratio" + BY_DEFAULT)
    public double rangeRatio;

    @Option(names = "--gsp-num-turns", defaultValue = "1", description = "Rounds (sglang-oai-chat)" + BY_DEFAULT)
    public int numTurns;

    @Option(names = "--gsp-send-routing-key", description = "Send X-SMG-Routing-Key, equal within a group.")
    public boolean sendRoutingKey;

    @Option(names = "--gsp-ordered", description = "Keep prompts in group order instead of shuffling them.")
    public boolean ordered;

    @Option(
            names = "--gsp-group-distribution",
            defaultValue = "uniform",
            description = "uniform, or zipf: group k (from 1) is drawn with weight 1/k^alpha" + BY_DEFAULT)
    public String groupDistribution;

    @Option(names = "--gsp-zipf-alpha", description = "Exponent of zipf, above 0; needed with zipf.")
    public Double zipfAlpha;
}
