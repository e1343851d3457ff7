package dpserve.scheduler;

import dpserve.io.message.RankDown;
import dpserve.io.message.RankUp;
import dpserve.io.message.StepDone;
import java.util.HashMap;
import java.util.Map;

/**
 * One rank's view of ranks that step together, as SGLang's do under DP attention (docs/protocol.md section 8). Each tells
 * every other how long its part of a step takes; when all have spoken, the step begins and lasts as long as the slowest
 * part. Nobody coordinates.
 *
 * <p>Single-threaded, without clock and sockets. A step that a peer begins calls this rank to take part, with or without
 * work of its own; when nobody begins one, nothing runs. Words may be lost, doubled and late: who waits repeats itself,
 * and a rank that is behind goes on where the others are. A rank that was lost from the group steps alone until it is
 * announced again.
 */
public final class Lockstep {

    /** Sends to one member. */
    public interface Peers {
        void send(int dpRank, StepDone message);
    }

    /** A wait this long may mean that a word was lost. Many times what a word takes, few enough to cost nothing. */
    public static final long REPEAT_NS = 20_000_000L;

    private static final double NS_PER_S = 1e9;

    private static final class Member {
        private final long incarnation;

        /** Newest step it has spoken for, and the length of its part; -1 for none yet. */
        private long step = -1;

        private double durationS;

        /** Length of its part in the step before: a member may be one step ahead of who still waits for others. */
        private double durationBeforeS;

        Member(long incarnation) {
            this.incarnation = incarnation;
        }
    }

    private final int dpRank;
    private final Peers peers;
    private final Map<Integer, Member> members = new HashMap<>();
    private long incarnation;
    private long step;
    private boolean begun;
    private double ownS;
    private long repeatNs;
    private long steps;
    private double idleS;
    private double totalS;

    /** @param peers takes what is said to a member, at once or never */
    public Lockstep(int dpRank, long incarnation, Peers peers) {
        this.dpRank = dpRank;
        this.incarnation = incarnation;
        this.peers = peers;
    }

    /** This rank registered anew. */
    public void restart(long newIncarnation) {
        incarnation = newIncarnation;
    }

    /** A rank joins, or begins a new incarnation. */
    public void onRankUp(RankUp up) {
        if (up.dpRank() == dpRank || up.stepEndpoint().isEmpty()) {
            return;
        }
        Member known = members.get(up.dpRank());
        if (known == null || known.incarnation < up.incarnation()) {
            members.put(up.dpRank(), new Member(up.incarnation()));
            if (begun) {
                say(up.dpRank(), step, ownS);
            }
        }
    }

    /** A rank is gone: nobody waits for it any more. */
    public void onRankDown(RankDown down) {
        Member known = members.get(down.dpRank());
        if (known != null && known.incarnation <= down.incarnation()) {
            members.remove(down.dpRank());
        }
    }

    /** This rank is no member of the group any more. */
    public void leave() {
        members.clear();
    }

    /** A member has spoken. Whoever is no member, or was one as another incarnation, is ignored. */
    public void onStepDone(StepDone said) {
        Member member = members.get(said.dpRank());
        if (member == null || member.incarnation != said.incarnation()) {
            return;
        }
        if (said.step() > member.step) {
            member.durationBeforeS = said.step() == member.step + 1 ? member.durationS : 0;
            member.step = said.step();
            member.durationS = said.durationS();
        }
        if (said.step() < step) {
            // It missed a word of this rank, or is new here. "I am past that step" keeps an idle rank idle.
            say(said.dpRank(), begun ? step : step - 1, begun ? ownS : 0);
        }
    }

    /** Whether a member has begun a step in which this rank has not spoken yet. */
    public boolean isCalled() {
        return !begun && newest() >= step;
    }

    private long newest() {
        long newest = -1;
        for (Member m : members.values()) {
            newest = Math.max(newest, m.step);
        }
        return newest;
    }

    /**
     * Speaks for this rank's part of the next step.
     *
     * @param durationNs its modelled length; 0 without work
     */
    public void begin(long durationNs, long nowNs) {
        // Members can be ahead only if they did not know of this rank: it goes on where they are.
        step = Math.max(step, newest());
        begun = true;
        ownS = durationNs / NS_PER_S;
        repeatNs = nowNs + REPEAT_NS;
        members.keySet().forEach(to -> say(to, step, ownS));
    }

    private void say(int to, long aboutStep, double durationS) {
        peers.send(to, new StepDone(dpRank, incarnation, aboutStep, durationS));
    }

    /** Whether all members have spoken for the step that has begun. */
    public boolean isComplete() {
        for (Member m : members.values()) {
            if (m.step < step) {
                return false;
            }
        }
        return true;
    }

    /**
     * Time passes while this rank waits: it repeats itself to all, because one that it has heard may not have heard it and
     * would wait for ever.
     */
    public void onTick(long nowNs) {
        if (begun && nowNs - repeatNs >= 0) {
            repeatNs = nowNs + REPEAT_NS;
            members.keySet().forEach(to -> say(to, step, ownS));
        }
    }

    /**
     * Ends the exchange for a step.
     *
     * @return how long the step lasts for all, nanoseconds of modelled time
     */
    public long finish() {
        double slowestS = ownS;
        for (Member m : members.values()) {
            slowestS = Math.max(slowestS, m.step == step ? m.durationS : m.step == step + 1 ? m.durationBeforeS : 0);
        }
        steps++;
        totalS += slowestS;
        idleS += slowestS - ownS;
        begun = false;
        step++;
        return Math.round(slowestS * NS_PER_S);
    }

    /** Number of the step that is under way or comes next. */
    public long step() {
        return step;
    }

    /** Members besides this rank. */
    public int peers() {
        return members.size();
    }

    /** Steps taken together. */
    public long steps() {
        return steps;
    }

    /** Modelled time of those steps in which this rank had nothing to do or waited for a slower one, seconds. */
    public double idleS() {
        return idleS;
    }

    /** Modelled time of those steps, seconds. */
    public double totalS() {
        return totalS;
    }
}
