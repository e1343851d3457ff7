package dpserve.bench.process;

import dpserve.bench.lab.Scenario;
import dpserve.bench.lab.Scenario.Outcome;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Shows the ways in which balancing by reports goes wrong, before and after. */
@Command(
        name = "simulate --scenario",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        usageHelpWidth = 120,
        description =
                "Shows one of the ten ways in which balancing by piggybacked reports goes wrong: the failing design"
                        + " without the fault and with it, and least_requests with it.",
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {
            "0:least_requests kept every rank at its even share (one above with several tokenizer workers)",
            "1:it did not",
            "2:a flag is wrong"
        })
public final class ScenarioCommand implements Callable<Integer> {
    @Option(names = "--scenario", required = true, paramLabel = "N|all", description = "1 to 10, or all.")
    private String scenario;

    @Option(names = "--seed", defaultValue = "1", description = "Of the workload (default: ${DEFAULT-VALUE}).")
    private long seed;

    @Override
    public Integer call() {
        List<Scenario> chosen = Scenario.all().stream()
                .filter(s -> scenario.equals("all") || scenario.equals(Integer.toString(s.number())))
                .toList();
        if (chosen.isEmpty()) {
            throw new IllegalArgumentException("--scenario must be 1 to 10 or all, not " + scenario);
        }
        boolean kept = true;
        for (Scenario s : chosen) {
            Outcome outcome = s.run(seed);
            System.out.println(s.table(outcome, seed));
            kept &= outcome.ours().imbalance().mostAboveEven() <= s.allowedAboveEven()
                    && outcome.ours().broken().isEmpty();
        }
        return kept ? 0 : 1;
    }
}
