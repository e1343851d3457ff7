package dpserve.bench.compare;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import dpserve.bench.client.ServerInfo;
import dpserve.bench.sim.ImbalanceMeter;
import java.io.IOException;
import java.io.Reader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Properties;

/**
 * One measured run of the topology, read from the folder that scripts/compare.sh made of it.
 *
 * @param name path of the loads and policy
 * @param result the benchmark's JSON line, with details
 * @param steps the ranks' step logs
 * @param overrunShare share of the steps that took over 5 % and 1 ms longer than modelled
 * @param limits why the machine and not the policy may have made the figures; empty if nothing says so
 * @param loadAgesMs age of the chosen rank's newest report at each dispatch, modelled milliseconds; empty if not recorded
 */
record LiveRun(
        String name,
        Settings settings,
        JsonNode result,
        StepRows steps,
        ImbalanceMeter.Figures imbalance,
        double overrunShare,
        List<String> limits,
        double[] loadAgesMs) {

    private static final ObjectMapper JSON =
            new ObjectMapper().setPropertyNamingStrategy(PropertyNamingStrategies.SNAKE_CASE);

    /**
     * What the run was made with: lines of a properties file whose keys are these names in snake case.
     *
     * @param beganS epoch seconds before the measured load
     * @param command the command that repeats it
     */
    record Settings(
            String method,
            String report,
            double delayMs,
            double timeScale,
            long seed,
            boolean dpAttention,
            boolean pdSeparated,
            double beganS,
            String command) {

        static Settings read(Path file) throws IOException {
            Properties p = new Properties();
            try (Reader in = Files.newBufferedReader(file)) {
                p.load(in);
            }
            return JSON.convertValue(p, Settings.class);
        }
    }

    static LiveRun read(Path folder) throws IOException {
        Settings settings = Settings.read(folder.resolve("settings.properties"));
        List<String> lines = Files.readAllLines(folder.resolve("bench.jsonl"));
        JsonNode result = JSON.readTree(lines.get(lines.size() - 1));
        StepRows steps = StepRows.read(folder.resolve("steps"), settings.beganS(), settings.dpAttention());
        double overruns = overrunShare(
                JSON.readTree(folder.resolve("server-info-before.json").toFile()),
                JSON.readTree(folder.resolve("server-info.json").toFile()));
        String late = settings.delayMs() > 0 ? ", reports " + whole(settings.delayMs()) + " ms late" : "";
        return new LiveRun(
                settings.report() + " / " + settings.method() + late,
                settings,
                result,
                steps,
                steps.imbalance(steps.firstS() + lastStartS(result)),
                overruns,
                limits(overruns, result),
                LoadAges.read(folder.resolve("decisions"), settings.timeScale(), settings.beganS()));
    }

    private static String whole(double value) {
        return String.format(Locale.ROOT, "%.0f", value);
    }

    private static double lastStartS(JsonNode result) {
        double first = Double.MAX_VALUE;
        double last = 0;
        for (JsonNode start : result.path("start_times")) {
            first = Math.min(first, start.asDouble());
            last = Math.max(last, start.asDouble());
        }
        return Math.max(0, last - first);
    }

    private static double overrunShare(JsonNode before, JsonNode after) {
        long overruns = ServerInfo.counter(after, "step_overruns") - ServerInfo.counter(before, "step_overruns");
        return (double) overruns / Math.max(1, steps(after) - steps(before));
    }

    /** Steps taken: those of all ranks together if they step together. */
    private static long steps(JsonNode info) {
        long together = ServerInfo.counter(info, "lockstep_steps");
        return together > 0
                ? together
                : ServerInfo.counter(info, "prefill_batches") + ServerInfo.counter(info, "decode_steps");
    }

    private static List<String> limits(double overruns, JsonNode result) {
        List<String> limits = new ArrayList<>();
        if (overruns > ServerInfo.MOST_OVERRUNS) {
            limits.add(String.format(
                    Locale.ROOT, "%.1f %% of the steps took over 5 %% and 1 ms longer than modelled.", overruns * 100));
        }
        String client = result.path("client").path("limit").asText("");
        if (!client.isEmpty() && !"null".equals(client)) {
            limits.add("The client of the benchmark was behind its schedule: " + client + ".");
        }
        return limits;
    }
}
