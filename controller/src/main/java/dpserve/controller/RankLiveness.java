package dpserve.controller;

import dpserve.io.Endpoints;
import dpserve.io.LogLimiter;
import dpserve.io.TopologyArgs;
import dpserve.io.WireRid;
import dpserve.io.message.ControllerHello;
import dpserve.io.message.Fenced;
import dpserve.io.message.Heartbeat;
import dpserve.io.message.Hello;
import dpserve.io.message.RankDown;
import dpserve.io.message.RankUp;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Who is alive (docs/protocol.md section 2): registers incarnations, watches heartbeats, fences what is superseded, and
 * tells every tokenizer worker of each rank that comes or goes.
 *
 * <p>The life of an incarnation: Hello connects a fresh PUSH to its input, greets it and makes it live. A heartbeat of
 * an incarnation that never said hello to this controller (it was restarted) connects and greets too, and the rank says
 * hello again. Without heartbeat for the timeout it is dead: connection closed, its attempts ended in the rid map and
 * returned to their workers. What still speaks under a dead or superseded incarnation is fenced.
 */
final class RankLiveness {
    private static final Logger LOG = LoggerFactory.getLogger(RankLiveness.class);

    /** A ghost beats five times a second; telling it once a second that it is fenced is enough. */
    private static final long FENCE_INTERVAL_NS = 1_000_000_000L;

    /** Time between two greetings of a rank that beats and does not register: far more than a registration takes. */
    static final long GREET_INTERVAL_NS = 1_000_000_000L;

    private final ControllerConfig config;
    private final RankTable table;
    private final RidMap rids;
    private final LoadView view;
    private final TokenizerWorkers workers;
    private final ControllerOutput out;
    private final Counters counters;
    private final LogLimiter limiter;
    private final RunningClock clock = new RunningClock();

    RankLiveness(
            ControllerConfig config,
            RankTable table,
            RidMap rids,
            LoadView view,
            TokenizerWorkers workers,
            ControllerOutput out,
            Counters counters,
            LogLimiter limiter) {
        this.config = config;
        this.table = table;
        this.rids = rids;
        this.view = view;
        this.workers = workers;
        this.out = out;
        this.counters = counters;
        this.limiter = limiter;
    }

    /**
     * A rank registers.
     *
     * @return whether it is up now and was not before
     */
    boolean onHello(Hello hello, long nowNs) {
        String endpoint = hello.endpoints().get(Hello.INPUT);
        if (!isClaim(hello.index(), hello.incarnation(), endpoint)) {
            return false;
        }
        Rank rank = slot(hello.index());
        long now = clock.at(nowNs);
        if (hello.incarnation() < rank.incarnation || (hello.incarnation() == rank.incarnation && rank.isOver())) {
            fence(rank, hello.incarnation(), endpoint, now);
            return false;
        }
        boolean known = hello.incarnation() == rank.incarnation && rank.isAlive();
        if (known || !claim(rank, hello.incarnation(), endpoint, now)) {
            return false;
        }
        rank.info = Map.copyOf(hello.info());
        rank.stepEndpoint = stepEndpoint(hello);
        rank.pid = hello.pid();
        rank.heartbeatNs = now;
        adopt(rank, hello.heldRids());
        up(rank);
        return true;
    }

    /** A rank is alive; of an unknown incarnation, it is greeted so that it registers. */
    void onHeartbeat(Heartbeat beat, long nowNs) {
        if (!isClaim(beat.dpRank(), beat.incarnation(), beat.inputEndpoint())) {
            return;
        }
        Rank rank = slot(beat.dpRank());
        long now = clock.at(nowNs);
        if (beat.incarnation() < rank.incarnation || (isSame(rank, beat) && rank.isOver())) {
            if (isSame(rank, beat) && rank.state == RankState.DEAD && !rank.heardWhileDead) {
                rank.heardWhileDead = true;
                counters.add(Count.RANKS_DOWN_FALSELY);
            }
            fence(rank, beat.incarnation(), beat.inputEndpoint(), now);
            return;
        }
        if (!isSame(rank, beat) && !claim(rank, beat.incarnation(), beat.inputEndpoint(), now)) {
            return;
        }
        rank.heartbeatNs = now;
        rank.heldCount = beat.heldCount();
        if (rank.state == RankState.ABSENT && now - rank.greetedNs >= GREET_INTERVAL_NS) {
            greet(rank, now); // its registration got lost, or the greeting did
        }
    }

    /** Time passes: ranks whose heartbeat is too old are dead. */
    void onTick(long nowNs) {
        long now = clock.at(nowNs);
        for (Rank rank : table.all()) {
            if (rank.legacy) {
                onLegacyTick(rank, now);
            } else if (rank.holdsClaim() && now - rank.heartbeatNs > config.rankTimeoutNs()) {
                down(rank, "no heartbeat for " + config.rankTimeoutNs() / 1_000_000 + " ms");
            }
        }
    }

    /** A legacy rank sends no heartbeat; it is dead when nothing has been there to connect to for as long. */
    private void onLegacyTick(Rank rank, long now) {
        if (rank.isAlive()) {
            rank.heartbeatNs = now;
        } else if (rank.announced && now - rank.heartbeatNs > config.rankTimeoutNs()) {
            rank.announced = false;
            view.register(rank.dpRank, 0, 0, 0);
            lose(rank, "not connected for " + config.rankTimeoutNs() / 1_000_000 + " ms", true);
        }
    }

    /** A legacy rank's peer has connected to the socket bound for it, or the socket takes no more. */
    void onLegacyConnection(int dpRank, boolean writable) {
        Rank rank = table.get(dpRank);
        if (rank != null && rank.legacy && writable != rank.isAlive()) {
            rank.state = writable ? RankState.UP : RankState.ABSENT;
            view.setLive(dpRank, writable);
            if (!rank.announced) {
                rank.announced = true;
                workers.tellAll(new RankUp(dpRank, 0, "", Map.of(), ""));
            }
            LOG.debug("legacy dp_rank {} {}", dpRank, writable ? "takes requests" : "takes no requests");
        }
    }

    /** Tells a worker that just said hello of every rank that lives. */
    void introduceRanks(int worker) {
        for (Rank rank : table.all()) {
            if (rank.isAlive()) {
                workers.tell(worker, notice(rank));
            }
        }
    }

    /** Whether the rank lives and takes nothing new. */
    boolean isDraining(int dpRank) {
        Rank rank = table.get(dpRank);
        return rank != null && rank.state == RankState.DRAINING;
    }

    /** How long ago the rank's newest heartbeat came, on the running clock. */
    long heartbeatAgeNs(Rank rank, long nowNs) {
        return clock.at(nowNs) - rank.heartbeatNs;
    }

    private static boolean isSame(Rank rank, Heartbeat beat) {
        return beat.incarnation() == rank.incarnation;
    }

    private boolean isClaim(int dpRank, long incarnation, String endpoint) {
        if (dpRank < 0 || dpRank >= TopologyArgs.MAX_DP_SIZE || incarnation <= 0) {
            limiter.warn("bad_hello", "dp_rank or incarnation out of range");
            return false;
        }
        if (dpRank < config.legacyRanks()) {
            limiter.warn("bad_hello", "dp_rank " + dpRank + " is a legacy rank and cannot register");
            return false;
        }
        try {
            Endpoints.requireTcp("input endpoint", endpoint == null ? "" : endpoint);
            return true;
        } catch (IllegalArgumentException e) {
            limiter.warn("bad_hello", "dp_rank " + dpRank + ": " + e.getMessage());
            return false;
        }
    }

    /** A rank without a usable endpoint for steps steps alone. */
    private String stepEndpoint(Hello hello) {
        String endpoint = hello.endpoints().getOrDefault(Hello.STEP, "");
        try {
            return endpoint.isEmpty() ? "" : Endpoints.requireTcp("step endpoint", endpoint);
        } catch (IllegalArgumentException e) {
            limiter.warn("bad_hello", "dp_rank " + hello.index() + ": " + e.getMessage());
            return "";
        }
    }

    private Rank slot(int dpRank) {
        view.ensureSlots(dpRank + 1);
        return table.slot(dpRank);
    }

    /** Gives the slot to an incarnation that nobody else may have, connects and greets. */
    private boolean claim(Rank rank, long incarnation, String endpoint, long now) {
        if (incarnation == rank.incarnation) {
            return true;
        }
        if (rank.holdsClaim()) {
            String superseded = rank.inputEndpoint;
            long old = rank.incarnation;
            down(rank, "replaced by a newer incarnation");
            fence(rank, old, superseded, now);
        }
        if (!out.connectRank(rank.dpRank, endpoint)) {
            limiter.warn("bad_hello", "dp_rank " + rank.dpRank + ": its input endpoint cannot be connected to");
            return false;
        }
        rank.incarnation = incarnation;
        rank.inputEndpoint = endpoint;
        rank.state = RankState.ABSENT;
        rank.heardWhileDead = false;
        rank.heartbeatNs = now;
        greet(rank, now);
        return true;
    }

    private void greet(Rank rank, long now) {
        rank.greetedNs = now;
        out.toRank(rank.dpRank, new ControllerHello(config.epoch(), Hello.PROTOCOL_VERSION));
    }

    /** After a controller restart the rank names what it holds; the map learns it, with the prompt lengths unknown. */
    private void adopt(Rank rank, String[] heldRids) {
        long received = rank.info.getOrDefault(Hello.RECEIVED_REQS, (long) heldRids.length);
        view.register(rank.dpRank, rank.incarnation, received, rank.info.getOrDefault(Hello.RECEIVED_TOKENS, 0L));
        if (!Endpoints.isLoopback(rank.inputEndpoint)) {
            view.setOnOtherHost(rank.dpRank);
        }
        for (String rid : heldRids) {
            rids.begin(rid, workers.byIncarnation(WireRid.incarnationOf(rid)), rank.dpRank, rank.incarnation, 0);
        }
    }

    private void up(Rank rank) {
        rank.state = RankState.UP;
        rank.drained = false;
        view.setLive(rank.dpRank, true);
        counters.add(Count.RANKS_UP);
        LOG.info(
                "dp_rank {} is up: incarnation {}, {}",
                rank.dpRank,
                rank.incarnation,
                LogLimiter.printable(rank.inputEndpoint));
        workers.tellAll(notice(rank));
        introducePeers(rank);
    }

    private static RankUp notice(Rank rank) {
        return new RankUp(rank.dpRank, rank.incarnation, rank.inputEndpoint, rank.info, rank.stepEndpoint);
    }

    /** Ranks that step together learn of each other (docs/protocol.md section 8). */
    private void introducePeers(Rank rank) {
        for (Rank peer : steppingWith(rank)) {
            out.toRank(peer.dpRank, notice(rank));
            out.toRank(rank.dpRank, notice(peer));
        }
    }

    private List<Rank> steppingWith(Rank rank) {
        List<Rank> peers = new ArrayList<>();
        for (Rank peer : table.all()) {
            if (peer != rank && peer.isAlive() && !peer.stepEndpoint.isEmpty() && !rank.stepEndpoint.isEmpty()) {
                peers.add(peer);
            }
        }
        return peers;
    }

    private void down(Rank rank, String reason) {
        boolean wasAlive = rank.isAlive();
        rank.state = RankState.DEAD;
        out.closeRank(rank.dpRank);
        view.retire(rank.dpRank);
        lose(rank, reason, wasAlive);
    }

    /** Ends the requests of a rank that is gone, and tells everybody who knew it. */
    private void lose(Rank rank, String reason, boolean wasKnown) {
        List<RidMap.Entry> lost = rids.endRank(rank.dpRank, rank.incarnation);
        counters.add(Count.RANKS_DOWN);
        counters.add(Count.LOST_WITH_RANK, lost.size());
        LOG.info(
                "dp_rank {} is down: incarnation {}, {}, {} requests",
                rank.dpRank,
                rank.incarnation,
                reason,
                lost.size());
        if (!wasKnown) {
            return;
        }
        for (Rank peer : steppingWith(rank)) {
            out.toRank(peer.dpRank, new RankDown(rank.dpRank, rank.incarnation, reason, new String[0]));
        }
        Map<Integer, List<String>> byWorker = new HashMap<>();
        for (RidMap.Entry e : lost) {
            byWorker.computeIfAbsent(e.worker(), w -> new ArrayList<>()).add(e.rid());
        }
        for (TokenizerWorkers.Worker w : workers.all()) {
            if (w.saidHello()) {
                String[] its = byWorker.getOrDefault(w.index, List.of()).toArray(String[]::new);
                workers.tell(w.index, new RankDown(rank.dpRank, rank.incarnation, reason, its));
            }
        }
    }

    /** An operator takes it out; what it has goes on elsewhere, and an incarnation that still speaks is fenced. */
    void remove(Rank rank) {
        if (rank.holdsClaim()) {
            down(rank, "removed");
        }
        rank.state = RankState.REMOVED;
    }

    private void fence(Rank rank, long incarnation, String endpoint, long now) {
        if (now - rank.fencedNs < FENCE_INTERVAL_NS) {
            return;
        }
        rank.fencedNs = now;
        counters.add(Count.FENCED);
        LOG.info("dp_rank {}: incarnation {} is fenced", rank.dpRank, incarnation);
        out.toInput(endpoint, new Fenced(rank.dpRank, incarnation));
    }
}
