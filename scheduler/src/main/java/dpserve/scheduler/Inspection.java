package dpserve.scheduler;

import java.util.LinkedHashMap;
import java.util.Map;

/** Looks at all parts of a rank: for {@code /server_info}, and for what must hold when it is idle. Changes nothing. */
final class Inspection {
    private final SchedulerOutput output;
    private final RequestTable table;
    private final PrefillManager prefill;
    private final DecodeManager decode;
    private final RequestSlots slots;
    private final KvPool pool;
    private final LoadReporter reporter;
    private final ControlCalls calls;
    private final Handoff handoff;
    private final SchedulerCounters counters;

    Inspection(
            SchedulerOutput output,
            RequestTable table,
            PrefillManager prefill,
            DecodeManager decode,
            RequestSlots slots,
            KvPool pool,
            LoadReporter reporter,
            ControlCalls calls,
            Handoff handoff,
            SchedulerCounters counters) {
        this.output = output;
        this.table = table;
        this.prefill = prefill;
        this.decode = decode;
        this.slots = slots;
        this.pool = pool;
        this.reporter = reporter;
        this.calls = calls;
        this.handoff = handoff;
        this.counters = counters;
    }

    /** An idle rank holds nothing, and every KV slot is free or cached. */
    void selfCheck() {
        if (table.size() != 0
                || !prefill.isEmpty()
                || slots.inUse() != 0
                || reporter.outputTokens() != 0
                || !pool.isWholeWhenIdle()) {
            counters.selfCheckFailures++;
            output.warn(
                    "self_check",
                    "idle, but not empty: requests " + table.size() + ", waiting "
                            + prefill.waiting().size() + ", slots " + slots.inUse() + ", output tokens "
                            + reporter.outputTokens() + ", KV used " + pool.used() + ", cached "
                            + pool.cachedTokens() + " of " + pool.size());
        }
    }

    /** Sizes of everything that is empty when the rank is idle, by name. */
    Map<String, Object> tables() {
        Map<String, Object> tables = new LinkedHashMap<>();
        tables.put("waiting_queue", (long) prefill.waiting().size());
        tables.put("chunked", prefill.chunked() == null ? 0L : 1L);
        tables.put("running", (long) decode.size());
        tables.put("requests", (long) table.size());
        tables.put("request_slots", (long) slots.inUse());
        tables.put("kv_tokens", (long) pool.used());
        tables.put("output_tokens", reporter.outputTokens());
        handoff.tables(tables);
        tables.put("health_probes", (long) calls.pendingProbes());
        tables.put("flushes", (long) calls.pendingFlushes());
        return tables;
    }

    /** What happened so far, and what may stay when the rank is idle, by name. */
    Map<String, Object> counters() {
        Map<String, Object> map = counters.toMap();
        map.put("received_reqs", reporter.received());
        map.put("ended_reqs", reporter.ended());
        map.put("radix_cache_tokens", (long) pool.cachedTokens());
        map.put("max_total_num_tokens", (long) pool.size());
        return map;
    }
}
