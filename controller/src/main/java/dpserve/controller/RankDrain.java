package dpserve.controller;

import dpserve.io.LogLimiter;
import dpserve.io.message.DrainRank;
import dpserve.io.message.Hello;
import dpserve.io.message.RankStatus;
import java.util.Locale;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What an operator does with ranks (docs/operations.md). A draining rank is alive for everything but new requests: it
 * finishes what it has, answers calls, steps with its peers. The rank is told, and says so when it registers again, so the
 * state lasts as long as its process, through a death of the controller too.
 */
final class RankDrain {
    private static final Logger LOG = LoggerFactory.getLogger(RankDrain.class);

    private final RankTable table;
    private final RidMap rids;
    private final LoadView view;
    private final TokenizerWorkers workers;
    private final RankLiveness liveness;
    private final ControllerOutput out;
    private final Counters counters;

    RankDrain(
            RankTable table,
            RidMap rids,
            LoadView view,
            TokenizerWorkers workers,
            RankLiveness liveness,
            ControllerOutput out,
            Counters counters) {
        this.table = table;
        this.rids = rids;
        this.view = view;
        this.workers = workers;
        this.liveness = liveness;
        this.out = out;
        this.counters = counters;
    }

    /** Everyone hears of a change, and the caller what became of its call. Asking for what already is changes nothing. */
    void onCall(int worker, DrainRank call) {
        Rank rank = table.get(call.dpRank());
        String error;
        if (rank == null) {
            error = "there is no dp_rank " + call.dpRank();
        } else if (rank.isLegacy()) {
            error = "dp_rank " + call.dpRank() + " is SGLang's own, which cannot be told";
        } else {
            error = change(rank, call.action());
        }
        String state = rank == null ? "" : nameOf(rank);
        long requests = rank == null ? 0 : rids.requests(rank.dpRank);
        workers.tell(worker, new RankStatus(call.rid(), call.httpWorkerIpc(), error, call.dpRank(), state, requests));
    }

    /** A rank is up now; one that was drained under a former controller or incarnation still is. */
    void onRank(Rank rank) {
        if (rank.info.getOrDefault(Hello.DRAINING, 0L) != 0) {
            change(rank, DrainRank.DRAIN);
        }
    }

    /** Does it. Returns what is wrong with it, "" if nothing. */
    private String change(Rank rank, String action) {
        RankState before = rank.state;
        switch (action) {
            case DrainRank.DRAIN, DrainRank.UNDRAIN -> {
                if (!rank.isAlive()) {
                    return "dp_rank " + rank.dpRank + " is not up";
                }
                boolean takes = DrainRank.UNDRAIN.equals(action);
                rank.state = takes ? RankState.UP : RankState.DRAINING;
                rank.drained = !takes && isEmpty(rank);
                view.setLive(rank.dpRank, takes);
                out.toRank(rank.dpRank, new DrainRank(null, null, rank.dpRank, action));
            }
            case DrainRank.FORGET -> {
                if (rank.state == RankState.UP) {
                    return "dp_rank " + rank.dpRank + " takes requests; drain it first";
                }
                liveness.remove(rank);
            }
            default -> {
                return "the action must be drain, undrain or forget, not " + LogLimiter.printable(action);
            }
        }
        if (rank.state != before) {
            counters.add(Count.RANK_CHANGES);
            LOG.info("dp_rank {}: {}, {} requests", rank.dpRank, nameOf(rank), rids.requests(rank.dpRank));
            workers.tellAll(status(rank));
        }
        return "";
    }

    /** Time passes: workers hear of ranks that have finished. */
    void onTick() {
        for (Rank rank : table.all()) {
            if (rank.state == RankState.DRAINING && !rank.drained && isEmpty(rank)) {
                rank.drained = true;
                LOG.info("dp_rank {}: drained", rank.dpRank);
                workers.tellAll(status(rank));
            }
        }
    }

    /** A worker that just said hello, and knows which ranks live, hears which take nothing and which are gone. */
    void introduce(int worker) {
        for (Rank rank : table.all()) {
            if (rank.state == RankState.DRAINING || rank.state == RankState.REMOVED) {
                workers.tell(worker, status(rank));
            }
        }
    }

    /** By the map, by the rank's own word, and for requests of legacy streams, which are not in the map, by its reports. */
    private boolean isEmpty(Rank rank) {
        return rids.requests(rank.dpRank) == 0 && rank.heldCount == 0 && view.requests(rank.dpRank) <= 0;
    }

    private RankStatus status(Rank rank) {
        return new RankStatus(null, null, "", rank.dpRank, nameOf(rank), rids.requests(rank.dpRank));
    }

    /** The rank's state in the words of /server_info. */
    static String nameOf(Rank rank) {
        if (rank.isLegacy()) {
            return "legacy";
        }
        boolean drained = rank.state == RankState.DRAINING && rank.drained;
        return drained ? RankStatus.DRAINED : rank.state.name().toLowerCase(Locale.ROOT);
    }
}
