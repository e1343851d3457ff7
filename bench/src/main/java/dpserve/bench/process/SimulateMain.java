package dpserve.bench.process;

import dpserve.bench.sim.SimulateCommand;
import dpserve.io.process.CommandRunner;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Callable;

/** The command behind scripts/simulate.sh. */
public final class SimulateMain {
    private SimulateMain() {}

    public static void main(String[] args) {
        List<String> flags = Arrays.asList(args);
        Callable<Integer> command = flags.contains("--lab")
                ? new LabCommand()
                : flags.stream().anyMatch(f -> f.startsWith("--scenario"))
                        ? new ScenarioCommand()
                        : new SimulateCommand();
        CommandRunner.run(command, args);
    }
}
