package dpserve.controller.policy;

import java.util.Arrays;

/** A view with settable liveness and figures; all zero to begin with. */
final class FixedRanks implements RankView {
    private final boolean[] live;
    final long[] requests;
    final long[] tokens;
    final long[] promptTokens;
    final long[] unseenPromptTokens;
    final int[] reportedRequests;
    final int[] reportedWaiting;
    final int[] reportedTokens;
    final int[] reportedWaitingTokens;
    final long[] requestsSince;
    final long[] tokensSince;

    FixedRanks(int slots) {
        live = new boolean[slots];
        Arrays.fill(live, true);
        requests = new long[slots];
        tokens = new long[slots];
        promptTokens = new long[slots];
        unseenPromptTokens = new long[slots];
        reportedRequests = new int[slots];
        reportedWaiting = new int[slots];
        reportedTokens = new int[slots];
        reportedWaitingTokens = new int[slots];
        requestsSince = new long[slots];
        tokensSince = new long[slots];
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
        return requests[dpRank];
    }

    @Override
    public long tokens(int dpRank) {
        return tokens[dpRank];
    }

    @Override
    public long inFlightRequests(int dpRank) {
        return 0;
    }

    @Override
    public long inFlightPromptTokens(int dpRank) {
        return promptTokens[dpRank];
    }

    @Override
    public long unseenRequests(int dpRank) {
        return 0;
    }

    @Override
    public long unseenPromptTokens(int dpRank) {
        return unseenPromptTokens[dpRank];
    }

    @Override
    public boolean hasReport(int dpRank) {
        return false;
    }

    @Override
    public int reportedRequests(int dpRank) {
        return reportedRequests[dpRank];
    }

    @Override
    public int reportedWaitingRequests(int dpRank) {
        return reportedWaiting[dpRank];
    }

    @Override
    public int reportedTokens(int dpRank) {
        return reportedTokens[dpRank];
    }

    @Override
    public int reportedWaitingTokens(int dpRank) {
        return reportedWaitingTokens[dpRank];
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
        return requestsSince[dpRank];
    }

    @Override
    public long tokensSinceReport(int dpRank) {
        return tokensSince[dpRank];
    }
}
