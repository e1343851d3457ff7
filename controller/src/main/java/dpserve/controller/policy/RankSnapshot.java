package dpserve.controller.policy;

/**
 * The ranks as a policy saw them at one moment: for the record of a decision, and to decide again from it.
 *
 * @param slotsByRank the figures of each rank, by dp_rank
 */
public record RankSnapshot(Slot[] slotsByRank) implements RankView {

    /** The figures of one rank, each as the method of its name in {@link RankView} has it. */
    public record Slot(
            boolean live,
            long requests,
            long tokens,
            long inFlightRequests,
            long inFlightPromptTokens,
            long unseenRequests,
            long unseenPromptTokens,
            boolean hasReport,
            int reportedRequests,
            int reportedWaitingRequests,
            int reportedTokens,
            int reportedWaitingTokens,
            long reportedOutputTokens,
            int maxTotalNumTokens,
            long requestsSinceReport,
            long tokensSinceReport) {}

    /** What the view shows now. */
    public static RankSnapshot of(RankView v) {
        Slot[] slots = new Slot[v.slots()];
        for (int r = 0; r < slots.length; r++) {
            slots[r] = new Slot(
                    v.isLive(r),
                    v.requests(r),
                    v.tokens(r),
                    v.inFlightRequests(r),
                    v.inFlightPromptTokens(r),
                    v.unseenRequests(r),
                    v.unseenPromptTokens(r),
                    v.hasReport(r),
                    v.reportedRequests(r),
                    v.reportedWaitingRequests(r),
                    v.reportedTokens(r),
                    v.reportedWaitingTokens(r),
                    v.reportedOutputTokens(r),
                    v.maxTotalNumTokens(r),
                    v.requestsSinceReport(r),
                    v.tokensSinceReport(r));
        }
        return new RankSnapshot(slots);
    }

    @Override
    public int slots() {
        return slotsByRank.length;
    }

    @Override
    public boolean isLive(int dpRank) {
        return dpRank >= 0 && dpRank < slotsByRank.length && slotsByRank[dpRank].live;
    }

    @Override
    public int liveCount() {
        int count = 0;
        for (Slot slot : slotsByRank) {
            count += slot.live ? 1 : 0;
        }
        return count;
    }

    @Override
    public long requests(int dpRank) {
        return slotsByRank[dpRank].requests;
    }

    @Override
    public long tokens(int dpRank) {
        return slotsByRank[dpRank].tokens;
    }

    @Override
    public long inFlightRequests(int dpRank) {
        return slotsByRank[dpRank].inFlightRequests;
    }

    @Override
    public long inFlightPromptTokens(int dpRank) {
        return slotsByRank[dpRank].inFlightPromptTokens;
    }

    @Override
    public long unseenRequests(int dpRank) {
        return slotsByRank[dpRank].unseenRequests;
    }

    @Override
    public long unseenPromptTokens(int dpRank) {
        return slotsByRank[dpRank].unseenPromptTokens;
    }

    @Override
    public boolean hasReport(int dpRank) {
        return slotsByRank[dpRank].hasReport;
    }

    @Override
    public int reportedRequests(int dpRank) {
        return slotsByRank[dpRank].reportedRequests;
    }

    @Override
    public int reportedWaitingRequests(int dpRank) {
        return slotsByRank[dpRank].reportedWaitingRequests;
    }

    @Override
    public int reportedTokens(int dpRank) {
        return slotsByRank[dpRank].reportedTokens;
    }

    @Override
    public int reportedWaitingTokens(int dpRank) {
        return slotsByRank[dpRank].reportedWaitingTokens;
    }

    @Override
    public long reportedOutputTokens(int dpRank) {
        return slotsByRank[dpRank].reportedOutputTokens;
    }

    @Override
    public int maxTotalNumTokens(int dpRank) {
        return slotsByRank[dpRank].maxTotalNumTokens;
    }

    @Override
    public long requestsSinceReport(int dpRank) {
        return slotsByRank[dpRank].requestsSinceReport;
    }

    @Override
    public long tokensSinceReport(int dpRank) {
        return slotsByRank[dpRank].tokensSinceReport;
    }
}
