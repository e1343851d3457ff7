package dpserve.bench.process;

import dpserve.bench.sim.SimulateCommand;
import dpserve.io.process.CommandRunner;

/** The command behind scripts/simulate.sh. */
public final class SimulateMain {
    private SimulateMain() {}

    public static void main(String[] args) {
        CommandRunner.run(new SimulateCommand(), args);
    }
}
