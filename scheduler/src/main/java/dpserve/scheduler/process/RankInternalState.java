package dpserve.scheduler.process;

import dpserve.io.LogLimiter;
import dpserve.io.message.Role;
import dpserve.scheduler.Scheduler;
import java.util.LinkedHashMap;
import java.util.Map;

/** What a rank says of itself in {@code /server_info}. */
final class RankInternalState {
    private RankInternalState() {}

    /** @param together null unless the ranks step together */
    static Map<String, Object> of(
            int dpRank,
            long incarnation,
            Scheduler scheduler,
            StepPacer pacer,
            LogLimiter limiter,
            StepTogether together,
            Map<String, String> endpoints) {
        Map<String, Object> tables = new LinkedHashMap<>(scheduler.tables());
        Map<String, Object> counters = new LinkedHashMap<>(scheduler.counters());
        counters.put("step_overruns", pacer.overruns());
        counters.putAll(limiter.totals());
        if (together != null) {
            together.addCounters(counters);
        }
        Map<String, Object> state = new LinkedHashMap<>();
        state.put("role", Role.SCHEDULER.wireName());
        state.put("index", (long) dpRank);
        state.put("dp_rank", (long) dpRank);
        state.put("pid", ProcessHandle.current().pid());
        state.put("incarnation", incarnation);
        state.put("tables", tables);
        state.put("counters", counters);
        state.put("endpoints", endpoints);
        state.put("load", LoadFigures.of(scheduler.load(System.nanoTime(), 0)));
        return state;
    }
}
