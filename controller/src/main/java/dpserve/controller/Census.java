package dpserve.controller;

import dpserve.io.message.Hello;
import dpserve.io.message.KnownRids;
import java.util.ArrayList;
import java.util.List;

/**
 * What a controller learns after its start of the requests that its predecessor had sent (docs/protocol.md section 3). Once
 * every rank has registered, with all it holds, or is not there, each tokenizer worker is told which of its attempts are
 * known; it sends the others again.
 */
final class Census {
    /**
     * A rank that lives is heard within a heartbeat and the time a socket takes to connect again; one that was not heard for
     * so many rank timeouts died together with the predecessor.
     */
    static final int SILENT_TIMEOUTS = 2;

    /** A rank that was heard registers after its step; longer than this no step lasts that a client would wait for. */
    static final long SLOWEST_STEP_NS = 10_000_000_000L;

    private final ControllerConfig config;
    private final RankTable table;
    private final RidMap rids;
    private final HeldRequests held;
    private final TokenizerWorkers workers;
    private final AbortRouter aborts;
    private final Counters counters;
    private boolean started;
    private long startNs;
    private boolean taken;
    private boolean swept;

    Census(
            ControllerConfig config,
            RankTable table,
            RidMap rids,
            HeldRequests held,
            TokenizerWorkers workers,
            AbortRouter aborts,
            Counters counters) {
        this.config = config;
        this.table = table;
        this.rids = rids;
        this.held = held;
        this.workers = workers;
        this.aborts = aborts;
        this.counters = counters;
    }

    /** Time passes. */
    void onTick(long nowNs) {
        if (!started) {
            started = true;
            startNs = nowNs;
        }
        long sinceNs = nowNs - startNs;
        if (!taken && isComplete(sinceNs)) {
            taken = true;
            tellAll();
        }
        if (!swept && sinceNs >= SLOWEST_STEP_NS) {
            swept = true;
            endUnowned();
        }
    }

    /** A worker said hello, and knows by now who is here. */
    void onWorker(int worker) {
        if (taken) {
            tell(worker);
        }
    }

    /**
     * A worker said hello in its request stream; if it asks, because it has waited long, it is told what is known of its
     * attempts. Stream and notices are in order, so what it sent before and is not named was lost on a connection that broke.
     */
    void onStreamHello(Hello hello) {
        Long sent = hello.info().get(Hello.SENT);
        TokenizerWorkers.Worker worker = workers.get(hello.index());
        if (taken && sent != null && worker.incarnation == hello.incarnation()) {
            counters.add(Count.KNOWN_ASKED);
            tell(hello.index(), sent);
        }
    }

    /** A rank registered; if the workers have been told without what it holds, they are told again. */
    void onRank(Hello hello) {
        if (taken && hello.heldRids().length > 0) {
            tellAll();
        }
    }

    private boolean isComplete(long sinceNs) {
        for (Rank rank : table.all()) {
            boolean settled = rank.legacy || rank.isAlive() || rank.isOver();
            long limitNs = rank.incarnation == 0 ? SILENT_TIMEOUTS * config.rankTimeoutNs() : SLOWEST_STEP_NS;
            if (!settled && sinceNs < limitNs) {
                return false;
            }
        }
        return true;
    }

    private void tellAll() {
        for (TokenizerWorkers.Worker w : workers.all()) {
            if (w.saidHello()) {
                tell(w.index);
            }
        }
    }

    private void tell(int worker) {
        tell(worker, 0);
    }

    private void tell(int worker, long sent) {
        List<String> known = new ArrayList<>(held.ofWorker(worker));
        rids.ofWorker(worker).forEach(e -> known.add(e.rid()));
        workers.tell(worker, new KnownRids(config.epoch(), known.toArray(String[]::new), sent));
    }

    /** What nobody has claimed belongs to a worker that died together with the predecessor. */
    private void endUnowned() {
        List<RidMap.Entry> orphans = rids.endWorker(RidMap.NO_WORKER);
        orphans.forEach(aborts::abortOnRank);
        counters.add(Count.ORPHANED_BY_WORKER, orphans.size());
    }
}
