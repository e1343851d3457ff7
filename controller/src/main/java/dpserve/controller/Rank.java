package dpserve.controller;

import java.util.Map;

/**
 * The slot of one dp_rank. Mutable, owned by {@link RankTable}; others read it.
 *
 * <p>A legacy rank has incarnation 0, no input endpoint (the controller bound the socket) and lives while connected.
 */
public final class Rank {
    final int dpRank;
    final boolean legacy;
    RankState state = RankState.ABSENT;
    long incarnation;
    String inputEndpoint = "";
    Map<String, Long> info = Map.of();

    /** Where it takes the steps of its peers under DP attention; "" if it steps alone. */
    String stepEndpoint = "";

    long pid;

    /** Time of the newest heartbeat on the controller's running clock, see {@link RunningClock}. */
    long heartbeatNs;

    /** Time of the newest greeting of this incarnation, on the same clock. */
    long greetedNs;

    /** Held rids, as the newest heartbeat said. */
    int heldCount;

    /** Legacy rank: whether the workers have been told of it. */
    boolean announced;

    /** Draining: whether the workers have been told that it has nothing left. */
    boolean drained;

    /** Whether the dead incarnation has been heard again, which is counted once. */
    boolean heardWhileDead;

    /** When a claim on this slot was last fenced, on the running clock. */
    long fencedNs = Long.MIN_VALUE / 2;

    Rank(int dpRank, boolean legacy) {
        this.dpRank = dpRank;
        this.legacy = legacy;
    }

    /** The rank's number. */
    public int dpRank() {
        return dpRank;
    }

    /** Whether the controller binds for it and it never registers. */
    public boolean isLegacy() {
        return legacy;
    }

    /** Where it stands. */
    public RankState state() {
        return state;
    }

    /** Whether control messages and aborts reach it: up or draining. */
    public boolean isAlive() {
        return state == RankState.UP || state == RankState.DRAINING;
    }

    /** Whether its newest incarnation has ended for good. */
    boolean isOver() {
        return state == RankState.DEAD || state == RankState.REMOVED;
    }

    /** Whether an incarnation has the slot: alive, or greeted and expected to say hello. */
    boolean holdsClaim() {
        return isAlive() || (state == RankState.ABSENT && incarnation != 0);
    }

    /** Newest incarnation that registered or was greeted; 0 for a legacy or empty slot. */
    public long incarnation() {
        return incarnation;
    }

    /** Where the incarnation takes requests; "" for a legacy or empty slot. */
    public String inputEndpoint() {
        return inputEndpoint;
    }

    /** Its process id on its own host. */
    public long pid() {
        return pid;
    }

    /** Wire rids held, by the newest heartbeat. */
    public int heldCount() {
        return heldCount;
    }
}
