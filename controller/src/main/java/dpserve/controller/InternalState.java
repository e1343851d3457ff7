package dpserve.controller;

import dpserve.io.LogLimiter;
import dpserve.io.message.Role;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The controller's answer to GetInternalStateReq (docs/protocol.md section 4.3). {@code tables} holds what must be empty
 * when no request is under way; {@code ranks} tells of each slot.
 */
final class InternalState {
    private final ControllerConfig config;
    private final LoadBalance balance;
    private final RankTable table;
    private final RidMap rids;
    private final LoadView view;
    private final TokenizerWorkers workers;
    private final RequestRouter router;
    private final RankLiveness liveness;
    private final Counters counters;
    private final LogLimiter limiter;

    InternalState(
            ControllerConfig config,
            LoadBalance balance,
            RankTable table,
            RidMap rids,
            LoadView view,
            TokenizerWorkers workers,
            RequestRouter router,
            RankLiveness liveness,
            Counters counters,
            LogLimiter limiter) {
        this.config = config;
        this.balance = balance;
        this.table = table;
        this.rids = rids;
        this.view = view;
        this.workers = workers;
        this.router = router;
        this.liveness = liveness;
        this.counters = counters;
        this.limiter = limiter;
    }

    Map<String, Object> export(long nowNs) {
        Map<String, Object> state = new LinkedHashMap<>();
        state.put("role", Role.CONTROLLER.wireName());
        state.put("index", 0L);
        state.put("pid", config.pid());
        state.put("incarnation", config.epoch());
        state.put("tables", tables());
        state.put("counters", allCounters());
        state.put("load_balance_method", balance.setting().method());
        state.put("load_report", balance.setting().report().wireName());
        state.put("load_report_delay_ms", balance.setting().delayMs());
        state.put("endpoints", endpoints());
        List<Object> ranks = new ArrayList<>();
        for (Rank rank : table.all()) {
            if (rank.state() != RankState.REMOVED) {
                ranks.add(rank(rank, nowNs));
            }
        }
        state.put("ranks", ranks);
        return state;
    }

    private Map<String, Object> tables() {
        Map<String, Object> tables = new LinkedHashMap<>();
        tables.put("rid_map", (long) rids.size());
        tables.put("held_requests", (long) router.held().size());
        tables.put("held_bytes", router.held().bytes());
        return tables;
    }

    private Map<String, Object> allCounters() {
        Map<String, Object> all = counters.export();
        all.put("peak_in_flight", (long) rids.peak());
        all.put("impossible_counts", view.impossibleCounts());
        limiter.totals().forEach((kind, n) -> all.put("dropped_" + kind, n));
        return all;
    }

    private Map<String, Object> endpoints() {
        Map<String, Object> endpoints = new LinkedHashMap<>();
        for (TokenizerWorkers.Worker w : workers.all()) {
            if (w.pullEndpoint != null) {
                endpoints.put("tokenizer_" + w.index, w.pullEndpoint);
            }
        }
        return endpoints;
    }

    private Map<String, Object> rank(Rank rank, long nowNs) {
        int r = rank.dpRank();
        Map<String, Object> m = new LinkedHashMap<>();
        m.put("dp_rank", (long) r);
        m.put("state", RankDrain.nameOf(rank));
        m.put("live", view.isLive(r));
        m.put("incarnation", rank.incarnation());
        m.put("pid", rank.pid());
        m.put("input", rank.inputEndpoint());
        m.put("requests", view.requests(r));
        m.put("tokens", view.tokens(r));
        m.put("in_flight_requests", view.inFlightRequests(r));
        m.put("in_flight_prompt_tokens", view.inFlightPromptTokens(r));
        m.put("unseen_requests", view.unseenRequests(r));
        if (rank.isAlive() && !rank.isLegacy()) {
            m.put("heartbeat_age_s", liveness.heartbeatAgeNs(rank, nowNs) / 1e9);
            m.put("held_by_rank", (long) rank.heldCount());
        }
        if (view.hasReport(r)) {
            m.put("report_age_s", Math.max(0, nowNs - view.reportedAtNs(r)) / 1e9);
        }
        return m;
    }
}
