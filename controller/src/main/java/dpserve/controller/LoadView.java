package dpserve.controller;

import dpserve.controller.policy.RankView;
import dpserve.io.message.GetLoadReqOutput;
import java.util.Arrays;

/**
 * What the controller knows of each rank's load: the newest report, and what that report cannot have seen
 * (docs/protocol.md section 6). Reports are de-duplicated here, before any policy sees them.
 *
 * <p>In flight = dispatched - ended, from the rid map. The rank's own counters say how much of that it had received and
 * ended when the report was sampled, so a late report can never erase a dispatch. Counters belong to one incarnation
 * and start anew with the next. Primitive arrays indexed by dp_rank; not thread-safe.
 */
public final class LoadView implements RankView {

    private final RidMap rids;
    private int slots;
    private int liveCount;
    private long impossibleCounts;

    private boolean[] live = {};
    private long[] incarnation = {};

    private long[] dispatchedRequests = {};
    private long[] dispatchedTokens = {};
    private long[] legacyRequests = {};
    private long[] requestsSince = {};
    private long[] tokensSince = {};

    private boolean[] reported = {};
    private long[] seq = {};
    private final ReportClock clock = new ReportClock();
    private int[] numReqs = {};
    private int[] numWaiting = {};
    private int[] numTokens = {};
    private int[] waitingTokens = {};
    private long[] outputTokens = {};
    private int[] maxTokens = {};
    private long[] receivedRequests = {};
    private long[] receivedTokens = {};
    private long[] endedRequests = {};
    private long[] endedTokens = {};

    /**
     * @param rids the map that in-flight counts come from
     * @param slots number of dp_ranks to begin with
     */
    public LoadView(RidMap rids, int slots) {
        this.rids = rids;
        ensureSlots(slots);
    }

    /** Makes room for ranks up to this number; slots never become fewer. */
    public void ensureSlots(int wanted) {
        if (wanted <= slots) {
            return;
        }
        slots = wanted;
        live = Arrays.copyOf(live, slots);
        incarnation = Arrays.copyOf(incarnation, slots);
        dispatchedRequests = Arrays.copyOf(dispatchedRequests, slots);
        dispatchedTokens = Arrays.copyOf(dispatchedTokens, slots);
        legacyRequests = Arrays.copyOf(legacyRequests, slots);
        requestsSince = Arrays.copyOf(requestsSince, slots);
        tokensSince = Arrays.copyOf(tokensSince, slots);
        reported = Arrays.copyOf(reported, slots);
        seq = Arrays.copyOf(seq, slots);
        clock.ensureSlots(slots);
        numReqs = Arrays.copyOf(numReqs, slots);
        numWaiting = Arrays.copyOf(numWaiting, slots);
        numTokens = Arrays.copyOf(numTokens, slots);
        waitingTokens = Arrays.copyOf(waitingTokens, slots);
        outputTokens = Arrays.copyOf(outputTokens, slots);
        maxTokens = Arrays.copyOf(maxTokens, slots);
        receivedRequests = Arrays.copyOf(receivedRequests, slots);
        receivedTokens = Arrays.copyOf(receivedTokens, slots);
        endedRequests = Arrays.copyOf(endedRequests, slots);
        endedTokens = Arrays.copyOf(endedTokens, slots);
    }

    /**
     * A new incarnation has the slot: all its counters start anew. Not live yet.
     *
     * @param knownRequests requests it had received before this controller met it, which are not counted against what
     *     this one dispatches; 0 unless the controller was restarted
     * @param knownTokens their prompt tokens
     */
    public void register(int dpRank, long newIncarnation, long knownRequests, long knownTokens) {
        ensureSlots(dpRank + 1);
        setLive(dpRank, false);
        incarnation[dpRank] = newIncarnation;
        dispatchedRequests[dpRank] = knownRequests;
        dispatchedTokens[dpRank] = knownTokens;
        legacyRequests[dpRank] = 0;
        clearReport(dpRank);
    }

    /** The slot's incarnation is gone: not live, and whatever it still reports is stale. */
    public void retire(int dpRank) {
        register(dpRank, incarnation[dpRank] + 1, 0, 0);
    }

    private void clearReport(int dpRank) {
        reported[dpRank] = false;
        clock.begin(dpRank, false);
        requestsSince[dpRank] = 0;
        tokensSince[dpRank] = 0;
        numReqs[dpRank] = 0;
        numWaiting[dpRank] = 0;
        numTokens[dpRank] = 0;
        waitingTokens[dpRank] = 0;
        outputTokens[dpRank] = 0;
        maxTokens[dpRank] = 0;
        receivedRequests[dpRank] = 0;
        receivedTokens[dpRank] = 0;
        endedRequests[dpRank] = 0;
        endedTokens[dpRank] = 0;
    }

    /** Whether the rank takes new requests from now on. */
    public void setLive(int dpRank, boolean isLive) {
        if (live[dpRank] != isLive) {
            live[dpRank] = isLive;
            liveCount += isLive ? 1 : -1;
        }
    }

    /** A request in the rid map went to the rank. */
    public void dispatched(int dpRank, int promptTokens) {
        dispatchedRequests[dpRank]++;
        dispatchedTokens[dpRank] += promptTokens;
        requestsSince[dpRank]++;
        tokensSince[dpRank] += promptTokens;
    }

    /** A request of a legacy stream went to the rank: no worker will tell of its end. */
    public void dispatchedLegacy(int dpRank, int promptTokens) {
        legacyRequests[dpRank]++;
        dispatched(dpRank, promptTokens);
    }

    /**
     * A report arrived, by whatever path.
     *
     * @param nowNs monotonic time of arrival
     */
    public ReportOutcome report(GetLoadReqOutput load, long nowNs) {
        int r = load.dpRank();
        boolean legacy = load.seq() == GetLoadReqOutput.NO_SEQ;
        if (r < 0 || r >= slots || (!legacy && load.incarnation() > incarnation[r])) {
            return ReportOutcome.UNKNOWN_RANK;
        }
        if (!legacy && (load.incarnation() < incarnation[r] || (reported[r] && load.seq() <= seq[r]))) {
            return ReportOutcome.STALE;
        }
        if (!load.isPossible()) {
            impossibleCounts++;
            return ReportOutcome.IMPOSSIBLE;
        }
        reported[r] = true;
        seq[r] = load.seq();
        clock.report(r, load.tsTic(), nowNs);
        numReqs[r] = load.numReqs();
        numWaiting[r] = load.numWaitingReqs();
        numTokens[r] = load.numTokens();
        waitingTokens[r] = Math.max(0, load.numTokens() - load.numUsedTokens());
        outputTokens[r] = load.numOutputTokens();
        maxTokens[r] = load.maxTotalNumTokens();
        requestsSince[r] = 0;
        tokensSince[r] = 0;
        if (!legacy) {
            receivedRequests[r] = load.receivedReqs();
            receivedTokens[r] = load.receivedTokens();
            endedRequests[r] = load.endedReqs();
            endedTokens[r] = load.endedTokens();
            if (load.receivedReqs() > dispatchedRequests[r] || load.receivedTokens() > dispatchedTokens[r]) {
                impossibleCounts++;
                dispatchedRequests[r] = Math.max(dispatchedRequests[r], load.receivedReqs());
                dispatchedTokens[r] = Math.max(dispatchedTokens[r], load.receivedTokens());
            }
        }
        return ReportOutcome.APPLIED;
    }

    /**
     * Reports with a count that cannot be right: a negative one, more ended than received, or more received than was
     * dispatched. The last kind is applied, with what was dispatched set to what was received, so the figures recover.
     */
    public long impossibleCounts() {
        return impossibleCounts;
    }

    /** Monotonic time at which the newest report arrived; meaningless without one. */
    public long reportedAtNs(int dpRank) {
        return clock.arrivedNs(dpRank);
    }

    /**
     * How old the rank's newest report is: since it was sampled; on another host, as far as that can be told.
     *
     * @return nanoseconds, or -1 without a report
     */
    public long reportAgeNs(int dpRank, long nowNs) {
        return reported[dpRank] ? clock.ageNs(dpRank, nowNs) : -1;
    }

    /** The incarnation that just registered runs on another host, so its clock cannot be compared with this one. */
    public void setOnOtherHost(int dpRank) {
        clock.begin(dpRank, true);
    }

    /** The incarnation that holds the slot, 0 for a legacy or empty one. */
    public long incarnation(int dpRank) {
        return incarnation[dpRank];
    }

    @Override
    public int slots() {
        return slots;
    }

    @Override
    public boolean isLive(int dpRank) {
        return isUp(dpRank) && rids.hasRoom(dpRank);
    }

    /** Whether the rank takes requests, were it not for its credit. */
    public boolean isUp(int dpRank) {
        return dpRank >= 0 && dpRank < slots && live[dpRank];
    }

    /** Whether any rank is up. */
    public boolean anyUp() {
        return liveCount > 0;
    }

    @Override
    public int liveCount() {
        if (rids.allHaveRoom()) {
            return liveCount;
        }
        int count = 0;
        for (int r = 0; r < slots; r++) {
            count += isLive(r) ? 1 : 0;
        }
        return count;
    }

    /** Whether the newest report has no counters, so that only its own figures can be used. */
    private boolean isLegacyReport(int r) {
        return reported[r] && seq[r] == GetLoadReqOutput.NO_SEQ;
    }

    @Override
    public long requests(int r) {
        long notEndedByReport = dispatchedRequests[r] - endedRequests[r];
        if (legacyRequests[r] == 0) {
            // Ended by the map is dispatched - in flight, so dispatched - max(ended by map, ended by report) is this.
            return Math.min(rids.requests(r), notEndedByReport);
        }
        return isLegacyReport(r) ? numReqs[r] + requestsSince[r] : notEndedByReport;
    }

    @Override
    public long tokens(int r) {
        if (legacyRequests[r] == 0) {
            return rids.tokens(r) + outputTokens[r];
        }
        return isLegacyReport(r)
                ? numTokens[r] + tokensSince[r]
                : dispatchedTokens[r] - endedTokens[r] + outputTokens[r];
    }

    @Override
    public long inFlightRequests(int dpRank) {
        return rids.requests(dpRank);
    }

    @Override
    public long inFlightPromptTokens(int dpRank) {
        return rids.tokens(dpRank);
    }

    @Override
    public long unseenRequests(int dpRank) {
        return unseen(dpRank, dispatchedRequests[dpRank] - receivedRequests[dpRank], rids.requests(dpRank));
    }

    @Override
    public long unseenPromptTokens(int dpRank) {
        return unseen(dpRank, dispatchedTokens[dpRank] - receivedTokens[dpRank], rids.tokens(dpRank));
    }

    /** What got lost on its way is never received, so no more is unseen than is in flight. Of legacy streams nobody knows what is. */
    private long unseen(int r, long notReceived, long inFlight) {
        return Math.max(0, legacyRequests[r] == 0 ? Math.min(notReceived, inFlight) : notReceived);
    }

    @Override
    public boolean hasReport(int dpRank) {
        return reported[dpRank];
    }

    @Override
    public int reportedRequests(int dpRank) {
        return numReqs[dpRank];
    }

    @Override
    public int reportedWaitingRequests(int dpRank) {
        return numWaiting[dpRank];
    }

    @Override
    public int reportedTokens(int dpRank) {
        return numTokens[dpRank];
    }

    @Override
    public int reportedWaitingTokens(int dpRank) {
        return waitingTokens[dpRank];
    }

    @Override
    public long reportedOutputTokens(int dpRank) {
        return outputTokens[dpRank];
    }

    @Override
    public int maxTotalNumTokens(int dpRank) {
        return maxTokens[dpRank];
    }

    @Override
    public long requestsSinceReport(int dpRank) {
        return requestsSince[dpRank];
    }

    @Override
    public long tokensSinceReport(int dpRank) {
        return tokensSince[dpRank];
    }
}
