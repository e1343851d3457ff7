package dpserve.tokenizer.process;

import dpserve.io.LogLimiter;
import dpserve.io.message.Role;
import dpserve.tokenizer.Deadlines;
import dpserve.tokenizer.LoadReports;
import dpserve.tokenizer.TokenizerManager;
import dpserve.tokenizer.http.WorkerMetrics;
import java.util.LinkedHashMap;
import java.util.Map;

/** The internal_state of a tokenizer worker (docs/protocol.md section 4.3). */
record WorkerState(
        int index,
        long incarnation,
        Map<String, String> endpoints,
        TokenizerManager manager,
        Deadlines deadlines,
        LoadReports loads,
        WorkerMetrics metrics,
        LogLimiter warnings) {

    Map<String, Object> export() {
        Map<String, Object> tables = new LinkedHashMap<>();
        tables.put("requests", manager.size());
        tables.put("zombies", manager.zombies());
        tables.put("waiting_for_controller", manager.waiting());
        tables.put("health_probes", manager.probes());
        Map<String, Object> counters = new LinkedHashMap<>(warnings.totals());
        counters.put("unknown_rids", metrics.unknownRids());
        counters.put("gaps", metrics.gaps());
        counters.put("resumed", metrics.resumedAttempts());
        counters.put("timed_out", deadlines.timedOut());
        counters.put("swept", deadlines.swept());
        counters.put("load_updates", loads.sent());
        Map<String, Object> state = new LinkedHashMap<>();
        state.put("role", Role.TOKENIZER.wireName());
        state.put("index", index);
        state.put("pid", ProcessHandle.current().pid());
        state.put("incarnation", incarnation);
        state.put("endpoints", endpoints);
        state.put("tables", tables);
        state.put("counters", counters);
        state.put("metrics", metrics.scrape());
        return state;
    }
}
