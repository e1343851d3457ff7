package dpserve.bench.compare;

import dpserve.bench.dataset.DatasetRow;
import dpserve.bench.dataset.Prompt;
import dpserve.bench.dataset.PromptTokens;
import dpserve.bench.sim.EventLog;
import dpserve.bench.sim.SimOptions;
import dpserve.bench.sim.SimResult;
import dpserve.bench.sim.Simulation;
import dpserve.scheduler.EngineProfile;
import java.io.IOException;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/** The same workload under the same settings in virtual time, to state how far the simulator is from the live processes. */
record SimulatedRun(SimResult result, Map<Figure, Double> figures) {

    static SimulatedRun of(
            LiveRun.Settings live,
            int dpSize,
            List<DatasetRow> rows,
            long[] arrivalsNs,
            Integer maxConcurrency,
            PromptTokens tokens)
            throws IOException {
        List<String> flags = new ArrayList<>(List.of(
                "--dp-size",
                Integer.toString(dpSize),
                "--load-balance-method",
                live.method(),
                "--load-report",
                live.report(),
                "--report-delay-ms",
                Double.toString(live.delayMs())));
        if (live.dpAttention()) {
            flags.add("--enable-dp-attention");
        }
        SimResult result = new Simulation(
                        SimOptions.parse(flags.toArray(String[]::new)),
                        EngineProfile.defaultProfile(),
                        rows,
                        row -> tokens.ids((Prompt.Tokens) row.prompt()),
                        arrivalsNs,
                        maxConcurrency,
                        live.seed(),
                        new EventLog(null))
                .run();
        Map<Figure, Double> figures = new EnumMap<>(Figure.class);
        figures.put(Figure.REQUEST_THROUGHPUT, result.completed() / result.durationS());
        figures.put(Figure.OUTPUT_THROUGHPUT, result.outputThroughput());
        figures.put(Figure.DURATION, result.durationS());
        figures.put(Figure.MEAN_TTFT, result.ttftMs().mean());
        figures.put(Figure.MEDIAN_TTFT, result.ttftMs().median());
        figures.put(Figure.P99_TTFT, result.ttftMs().p99());
        figures.put(Figure.MEAN_TPOT, result.tpotMs().mean());
        figures.put(Figure.MEDIAN_TPOT, result.tpotMs().median());
        figures.put(Figure.P99_TPOT, result.tpotMs().p99());
        return new SimulatedRun(result, figures);
    }
}
