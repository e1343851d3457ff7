package dpserve.bench.dataset;

import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** The flags that choose a workload. Names and defaults are upstream's. Lengths in tokens. */
public final class DatasetOptions {
    private static final String BY_DEFAULT = " (default: ${DEFAULT-VALUE}).";

    @Option(names = "--dataset-name", defaultValue = "sharegpt", description = Datasets.NAMES + BY_DEFAULT)
    public String name;

    /** Read by all but random-ids and generated-shared-prefix; optional for random. */
    @Option(names = "--dataset-path", defaultValue = "", description = "The dataset's file; random can do without.")
    public String path;

    @Option(names = "--num-prompts", defaultValue = "1000", description = "Most requests" + BY_DEFAULT)
    public int numPrompts;

    @Option(names = "--random-input-len", defaultValue = "1024", description = "Longest prompt, tokens" + BY_DEFAULT)
    public int randomInputLen;

    @Option(names = "--random-output-len", defaultValue = "1024", description = "Longest output, tokens" + BY_DEFAULT)
    public int randomOutputLen;

    @Option(
            names = "--random-range-ratio",
            defaultValue = "0.0",
            description = "random: lengths are drawn from ratio x longest to longest; 1 makes them equal" + BY_DEFAULT)
    public double randomRangeRatio;

    @Option(names = "--sharegpt-output-len", description = "Output tokens (default: those of the recorded answer).")
    public Integer sharegptOutputLen;

    @Option(names = "--sharegpt-context-len", description = "Leave out longer conversations, tokens (default: none).")
    public Integer sharegptContextLen;

    @Option(names = "--prompt-suffix", defaultValue = "", description = "Text behind every sharegpt or custom prompt.")
    public String promptSuffix;

    @Option(names = "--tokenize-prompt", description = "Send token ids, not text; --backend sglang, generated prompts.")
    public boolean tokenizePrompt;

    @Mixin
    public SharedPrefixOptions gsp = new SharedPrefixOptions();
}
