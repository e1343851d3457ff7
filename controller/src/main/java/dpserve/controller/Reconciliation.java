package dpserve.controller;

import dpserve.io.LogLimiter;
import dpserve.io.WireRid;
import dpserve.io.message.Heartbeat;
import dpserve.io.message.HeldRids;
import dpserve.io.message.LostRids;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Finds what the rid map and a rank disagree about (docs/protocol.md section 3). Every heartbeat tells count and hash of what
 * the rank holds. Under load they always differ by what is on its way, so a disagreement that lasts only makes the rank
 * name its rids; acted upon is what is found again and again. What no rank holds any more is reported to its worker; what
 * the map does not know is aborted on the rank.
 */
final class Reconciliation {
    /** Longest disagreement without a question, and time between two questions. */
    static final long DISAGREEMENT_NS = 2_000_000_000L;

    /** A rank's last word about a request takes longer than this through detokenizer and worker only if it was lost. */
    static final long LOST_NS = 5_000_000_000L;

    private final RankTable table;
    private final RidMap rids;
    private final TokenizerWorkers workers;
    private final AbortRouter aborts;
    private final ControllerOutput out;
    private final Counters counters;
    private final LogLimiter limiter;
    private final Map<Integer, Doubt> doubts = new HashMap<>();

    /** One rank's disagreement. */
    private static final class Doubt {
        final long incarnation;
        final long sinceNs;
        long askedNs;
        boolean asked;

        /** What the map had when the rank was asked; null once it has answered. */
        List<RidMap.Entry> expected;

        /** In the map and not on the rank, with the time of the first answer that told so. */
        Map<String, Long> missing = new HashMap<>();

        /** On the rank and not in the map. */
        Map<String, Long> foreign = new HashMap<>();

        Doubt(long incarnation, long nowNs) {
            this.incarnation = incarnation;
            this.sinceNs = nowNs;
        }
    }

    Reconciliation(
            RankTable table,
            RidMap rids,
            TokenizerWorkers workers,
            AbortRouter aborts,
            ControllerOutput out,
            Counters counters,
            LogLimiter limiter) {
        this.table = table;
        this.rids = rids;
        this.workers = workers;
        this.aborts = aborts;
        this.out = out;
        this.counters = counters;
        this.limiter = limiter;
    }

    /** Compares; asks the rank if it has disagreed for long. */
    void onHeartbeat(Heartbeat beat, long nowNs) {
        int r = beat.dpRank();
        Rank rank = table.get(r);
        if (rank == null || rank.incarnation() != beat.incarnation()) {
            return; // what a superseded incarnation holds says nothing of the one that lives
        }
        if (!rank.isAlive() || (beat.heldCount() == rids.requests(r) && beat.heldHash() == rids.hash(r))) {
            doubts.remove(r);
            return;
        }
        Doubt doubt = doubts.get(r);
        if (doubt == null || doubt.incarnation != beat.incarnation()) {
            doubt = new Doubt(beat.incarnation(), nowNs);
            doubts.put(r, doubt);
        }
        boolean due = nowNs - doubt.sinceNs >= DISAGREEMENT_NS;
        if (due && (!doubt.asked || nowNs - doubt.askedNs >= DISAGREEMENT_NS)) {
            doubt.asked = true;
            doubt.askedNs = nowNs;
            doubt.expected = rids.ofRank(r);
            counters.add(Count.RECONCILIATIONS);
            out.toRank(r, new HeldRids(r, beat.incarnation(), new String[0]));
        }
    }

    /** A rank names what it holds. It answers in order, so what was sent before the question has reached it. */
    void onHeld(HeldRids answer, long nowNs) {
        int r = answer.dpRank();
        Doubt doubt = doubts.get(r);
        if (doubt == null || doubt.expected == null || doubt.incarnation != answer.incarnation()) {
            return;
        }
        Set<String> onRank = new HashSet<>(List.of(answer.rids()));
        List<String> missing = new ArrayList<>();
        for (RidMap.Entry e : doubt.expected) {
            if (!onRank.contains(e.rid()) && rids.contains(e.rid())) {
                missing.add(e.rid());
            }
        }
        List<String> foreign = new ArrayList<>();
        for (String rid : onRank) {
            // The rid of a legacy stream is in no map.
            if (WireRid.isWireRid(rid) && !rids.contains(rid)) {
                foreign.add(rid);
            }
        }
        doubt.expected = null;
        doubt.missing = sinceWhen(missing, doubt.missing, nowNs);
        doubt.foreign = sinceWhen(foreign, doubt.foreign, nowNs);
        lose(r, olderThan(LOST_NS, doubt.missing, nowNs));
        abort(r, doubt.incarnation, olderThan(DISAGREEMENT_NS, doubt.foreign, nowNs));
    }

    private static Map<String, Long> sinceWhen(List<String> found, Map<String, Long> before, long nowNs) {
        Map<String, Long> since = new HashMap<>();
        found.forEach(rid -> since.put(rid, before.getOrDefault(rid, nowNs)));
        return since;
    }

    private static List<String> olderThan(long ageNs, Map<String, Long> since, long nowNs) {
        return since.entrySet().stream()
                .filter(e -> nowNs - e.getValue() >= ageNs)
                .map(Map.Entry::getKey)
                .toList();
    }

    private void lose(int dpRank, List<String> lost) {
        Map<Integer, List<String>> byWorker = new HashMap<>();
        for (String rid : lost) {
            byWorker.computeIfAbsent(rids.get(rid).worker(), w -> new ArrayList<>())
                    .add(rid);
            rids.end(rid);
        }
        byWorker.forEach((worker, its) -> {
            counters.add(Count.LOST_WITHOUT_END, its.size());
            limiter.warn("lost_without_end", "dp_rank " + dpRank + ", " + its.size() + " requests");
            workers.tell(worker, new LostRids(dpRank, its.toArray(String[]::new)));
        });
    }

    private void abort(int dpRank, long incarnation, List<String> foreign) {
        for (String rid : foreign) {
            int owner = workers.byIncarnation(WireRid.incarnationOf(rid));
            aborts.abortOnRank(new RidMap.Entry(rid, owner, dpRank, incarnation, 0));
            counters.add(Count.UNKNOWN_ON_RANK);
            limiter.warn("unknown_on_rank", "dp_rank " + dpRank + " holds a request that ended or was never sent");
        }
    }
}
