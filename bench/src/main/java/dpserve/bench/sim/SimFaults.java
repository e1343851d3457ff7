package dpserve.bench.sim;

import dpserve.bench.sim.EventLog.Kind;
import dpserve.io.message.DrainRank;
import dpserve.io.message.Heartbeat;
import dpserve.io.message.Message;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** Begins the ranks' processes, lets their hearts beat, and does to them and to the controller what the faults say. */
final class SimFaults {
    private static final double NS_PER_S = 1e9;

    private final EventQueue queue;
    private final EventLog log;
    private final SimRank[] ranks;
    private final SimController controller;
    private final SimTokenizers tokenizers;
    private final List<SimFault> faults;
    private final Set<Integer> removed = new HashSet<>();
    private long nextIncarnation = 1;
    private long overNs;

    /** @param ranks those beyond the first {@code dpSize} begin when they are added */
    SimFaults(
            EventQueue queue,
            EventLog log,
            SimRank[] ranks,
            int dpSize,
            SimController controller,
            SimTokenizers tokenizers,
            List<SimFault> faults) {
        this.queue = queue;
        this.log = log;
        this.ranks = ranks;
        this.controller = controller;
        this.tokenizers = tokenizers;
        this.faults = faults;
        for (int r = dpSize; r < ranks.length; r++) {
            removed.add(r);
        }
    }

    void begin() {
        startController();
        for (SimRank rank : ranks) {
            if (!removed.contains(rank.dpRank())) {
                start(rank);
            }
        }
        for (SimFault fault : faults) {
            overNs = Math.max(overNs, ns(fault.atS() + fault.lastsS()));
            queue.at(ns(fault.atS()), () -> meet(fault));
        }
    }

    /** When the last of them is over. */
    long overNs() {
        return overNs;
    }

    private static long ns(double seconds) {
        return (long) (seconds * NS_PER_S);
    }

    long nextIncarnation() {
        return nextIncarnation++;
    }

    private void start(SimRank rank) {
        rank.start();
        log.add(Kind.RANK_UP, queue.nowNs(), rank.incarnation(), rank.dpRank());
        rank.register();
        beat(rank, rank.life());
    }

    private void beat(SimRank rank, int life) {
        if (rank.life() != life) {
            return;
        }
        if (!rank.isPaused()) {
            controller.fromRank(new Heartbeat(
                    rank.dpRank(),
                    rank.incarnation(),
                    rank.endpoint(),
                    rank.scheduler().steps(),
                    rank.scheduler().heldCount(),
                    rank.scheduler().heldHash(),
                    null));
        }
        queue.after(SimController.HEARTBEAT_NS, () -> beat(rank, life));
    }

    private void meet(SimFault fault) {
        SimRank rank = fault.rank() < 0 ? null : ranks[fault.rank()];
        if (rank != null && !rank.isAlive()) {
            return;
        }
        switch (fault.kind()) {
            case KILL -> {
                kill(rank);
                queue.after(ns(fault.lastsS()), () -> restart(rank));
            }
            case PAUSE -> pause(rank, fault);
            case DRAIN -> {
                log.add(Kind.RANK_DRAINED, queue.nowNs(), rank.incarnation(), rank.dpRank());
                operate(rank, DrainRank.DRAIN);
                queue.after(ns(fault.lastsS()), () -> operate(rank, DrainRank.UNDRAIN));
            }
            case REMOVE -> {
                operate(rank, DrainRank.DRAIN);
                kill(rank);
                removed.add(rank.dpRank());
                operate(rank, DrainRank.FORGET);
            }
            case ADD -> add();
            case CONTROLLER -> killController(fault);
        }
    }

    private void kill(SimRank rank) {
        log.add(Kind.RANK_KILLED, queue.nowNs(), rank.incarnation(), rank.dpRank());
        rank.kill();
    }

    private void restart(SimRank rank) {
        if (!rank.isAlive() && !removed.contains(rank.dpRank())) {
            start(rank);
        }
    }

    private void add() {
        for (SimRank rank : ranks) {
            if (removed.remove(rank.dpRank())) {
                start(rank);
                return;
            }
        }
    }

    private void pause(SimRank rank, SimFault fault) {
        if (rank.isPaused()) {
            return;
        }
        log.add(Kind.RANK_PAUSED, queue.nowNs(), rank.incarnation(), rank.dpRank());
        rank.pause();
        int life = rank.life();
        queue.after(ns(fault.lastsS()), () -> {
            if (rank.life() == life) {
                log.add(Kind.RANK_RESUMED, queue.nowNs(), rank.incarnation(), rank.dpRank());
                rank.resume();
            }
        });
    }

    /** An operator's call by worker 0. */
    private void operate(SimRank rank, String action) {
        Message call = new DrainRank("operator", SimTokenizers.endpoint(0), rank.dpRank(), action);
        controller.message(controller.life(), 0, 0, call); // not forwarded as it is
    }

    private void killController(SimFault fault) {
        if (!controller.isUp()) {
            return;
        }
        log.add(Kind.CONTROLLER_KILLED, queue.nowNs(), controller.life(), -1);
        controller.stop();
        tokenizers.setController(false);
        queue.after(ns(fault.lastsS()), this::startController);
    }

    private void startController() {
        controller.start();
        tokenizers.setController(true);
        log.add(Kind.CONTROLLER_UP, queue.nowNs(), controller.life(), -1);
    }
}
