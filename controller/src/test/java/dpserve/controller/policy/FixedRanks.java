package dpserve.controller.policy;

/** A view with settable liveness and nothing reported. */
final class FixedRanks implements RankView {
    private final boolean[] live;

    FixedRanks(int slots) {
        live = new boolean[slots];
        java.util.Arrays.fill(live, true);
    }

    FixedRanks without(int... dead) {
        for (int r : dead) {
            live[r] = false;
        }
        return this;
    }

    void setLive(int dpRank, boolean isLive) {
        live[dpRank] = isLive;
    }

    @Override
    public int slots() {
        return live.length;
    }

    @Override
    public boolean isLive(int dpRank) {
        return dpRank >= 0 && dpRank < live.length && live[dpRank];
    }

    @Override
    public int liveCount() {
        int n = 0;
        for (boolean l : live) {
            n += l ? 1 : 0;
        }
        return n;
    }

    @Override
    public long requests(int dpRank) {
        return 0;
    }

    @Override
    public long tokens(int dpRank) {
        return 0;
    }

    @Override
    public long inFlightRequests(int dpRank) {
        return 0;
    }

    @Override
    public long inFlightPromptTokens(int dpRank) {
        return 0;
    }

    @Override
    public long unseenRequests(int dpRank) {
        return 0;
    }

    @Override
    public long unseenPromptTokens(int dpRank) {
        return 0;
    }

    @Override
    public boolean hasReport(int dpRank) {
        return false;
    }

    @Override
    public int reportedRequests(int dpRank) {
        return 0;
    }

    @Override
    public int reportedWaitingRequests(int dpRank) {
        return 0;
    }

    @Override
    public int reportedTokens(int dpRank) {
        return 0;
    }

    @Override
    public long reportedOutputTokens(int dpRank) {
        return 0;
    }

    @Override
    public int maxTotalNumTokens(int dpRank) {
        return 0;
    }

    @Override
    public long requestsSinceReport(int dpRank) {
        return 0;
    }

    @Override
    public long tokensSinceReport(int dpRank) {
        return 0;
    }
}
