package dpserve.bench.sim;

import dpserve.bench.dataset.DatasetOptions;
import dpserve.bench.dataset.DatasetRow;
import dpserve.bench.dataset.Datasets;
import dpserve.bench.dataset.Prompt;
import dpserve.bench.dataset.PromptTokens;
import dpserve.bench.load.Arrivals;
import dpserve.bench.load.LoadOptions;
import dpserve.scheduler.EngineProfile;
import dpserve.tokenizer.JtokkitVocabulary;
import java.io.BufferedWriter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Properties;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Runs one simulation and prints its figures. */
@Command(
        name = "simulate",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        abbreviateSynopsis = true,
        usageHelpWidth = 120,
        description = {
            "Runs the production controller, policies and schedulers in virtual time on a workload of the benchmark. It"
                    + " studies the control plane; its times are a model's, not a GPU's.",
            "--lab compares policies under late reports, --scenario shows the ways to fail (see --lab --help).",
        },
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {"0:every promise was kept", "1:a promise was broken", "2:a flag is wrong"})
public final class SimulateCommand implements Callable<Integer> {
    @Mixin
    private SimOptions options = new SimOptions();

    @Mixin
    private DatasetOptions dataset = new DatasetOptions();

    @Mixin
    private LoadOptions load = new LoadOptions();

    @Option(names = "--seed", defaultValue = "42", description = "Of everything that is drawn (default: 42).")
    private long seed;

    @Option(names = "--engine-profile", description = "Properties file of the engine's timing (default: built in).")
    private Path engineProfile;

    @Option(names = "--event-log", description = "Also write the event log as text to this file.")
    private Path eventLog;

    @Override
    public Integer call() throws IOException {
        load.validate(Datasets.hasTimestamps(dataset));
        PromptTokens tokens = new PromptTokens(new JtokkitVocabulary());
        List<DatasetRow> rows = Datasets.load(dataset, tokens, seed);
        for (DatasetRow row : rows) {
            if (!(row.prompt() instanceof Prompt.Tokens)) {
                throw new IllegalArgumentException("--dataset-name: the simulator takes random, random-ids,"
                        + " generated-shared-prefix (with --tokenize-prompt), mooncake and azure");
            }
        }
        long[] arrivals = Arrivals.of(load, rows, seed);
        SimResult result;
        try (BufferedWriter text = eventLog == null ? null : Files.newBufferedWriter(eventLog)) {
            result = new Simulation(
                            options,
                            profile(),
                            rows,
                            row -> tokens.ids((Prompt.Tokens) row.prompt()),
                            arrivals,
                            load.maxConcurrency,
                            seed,
                            new EventLog(text))
                    .run();
        }
        System.out.print(result.table());
        return result.broken().isEmpty() ? 0 : 1;
    }

    private EngineProfile profile() throws IOException {
        if (engineProfile == null) {
            return EngineProfile.defaultProfile();
        }
        Properties properties = new Properties();
        try (var reader = Files.newBufferedReader(engineProfile)) {
            properties.load(reader);
        }
        return EngineProfile.of(properties);
    }
}
