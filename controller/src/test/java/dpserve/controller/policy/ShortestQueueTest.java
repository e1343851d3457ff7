package dpserve.controller.policy;

import static org.assertj.core.api.Assertions.assertThat;

import dpserve.io.message.GetLoadReqOutput;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class ShortestQueueTest {
    private static final RequestInfo ANY =
            new RequestInfo("r", null, 10, RequestInfo.NO_RANK, RequestInfo.NO_ROOM, null, false);

    private final ShortestQueue policy = ShortestQueue.scaled(1.0, 1);

    private static GetLoadReqOutput load(int dpRank, int numReqs, double tsTic) {
        return GetLoadReqOutput.legacy(dpRank, numReqs, 0, 0, tsTic);
    }

    /** One round: every rank's load in a message of its own, a tenth of a millisecond apart. */
    private static void round(ShortestQueue policy, RankView ranks, double tsTic, int... numReqs) {
        for (int r = 0; r < numReqs.length; r++) {
            policy.onReport(ranks, List.of(load(r, numReqs[r], tsTic + r * 0.0001)));
        }
    }

    private static List<Integer> choices(ShortestQueue policy, RankView ranks, int n) {
        List<Integer> chosen = new ArrayList<>();
        for (int i = 0; i < n; i++) {
            chosen.add(policy.choose(ranks, ANY));
        }
        return chosen;
    }

    /** The plan by the words of PR #11469: while not all are equal, the group at the minimum, (second - minimum) times. */
    private static List<Integer> plan(int... numReqs) {
        int[] n = numReqs.clone();
        List<Integer> queue = new ArrayList<>();
        while (Arrays.stream(n).distinct().count() > 1) {
            int min = Arrays.stream(n).min().orElseThrow();
            int second = Arrays.stream(n).filter(x -> x > min).min().orElseThrow();
            List<Integer> group = new ArrayList<>();
            for (int r = 0; r < n.length; r++) {
                if (n[r] == min) {
                    group.add(r);
                }
            }
            for (int i = 0; i < second - min; i++) {
                queue.addAll(group);
            }
            for (int r : group) {
                n[r] = second;
            }
        }
        return queue;
    }

    @Test
    void shouldTakeRanksInOrderWithoutReports() {
        assertThat(choices(policy, new FixedRanks(3), 5)).containsExactly(0, 1, 2, 0, 1);
    }

    @Test
    void shouldFillTheLowestFirst() {
        round(policy, new FixedRanks(4), 100.0, 3, 1, 1, 2);
        assertThat(choices(policy, new FixedRanks(4), 5)).containsExactly(1, 2, 1, 2, 3);
    }

    @Test
    void shouldFollowTheSamePlanAsUpstreamForRandomRounds() {
        Random random = new Random(11469);
        for (int i = 0; i < 300; i++) {
            int n = 1 + random.nextInt(9);
            int[] reqs = random.ints(n, 0, 12).toArray();
            FixedRanks ranks = new FixedRanks(n);
            ShortestQueue fresh = ShortestQueue.scaled(1.0, 1);
            round(fresh, ranks, 5.0 + i, reqs);
            List<Integer> expected = new ArrayList<>(plan(reqs));
            for (int r = 0; r < n; r++) {
                expected.add(r);
            }
            assertThat(choices(fresh, ranks, expected.size())).isEqualTo(expected);
        }
    }

    @Test
    void shouldStartOverAtRankZeroWhenARoundSaysAllAreEqual() {
        FixedRanks ranks = new FixedRanks(3);
        assertThat(choices(policy, ranks, 2)).containsExactly(0, 1);
        round(policy, ranks, 100.0, 4, 4, 4);
        assertThat(choices(policy, ranks, 2)).containsExactly(0, 1);
    }

    @Test
    void shouldReplaceAnUnfinishedPlan() {
        FixedRanks ranks = new FixedRanks(2);
        round(policy, ranks, 100.0, 0, 9);
        assertThat(choices(policy, ranks, 2)).containsExactly(0, 0);
        round(policy, ranks, 100.5, 9, 8);
        assertThat(choices(policy, ranks, 3)).containsExactly(1, 0, 1);
    }

    @Test
    void shouldWaitForAllRanksWithinTheWindow() {
        FixedRanks ranks = new FixedRanks(2);
        policy.onReport(ranks, List.of(load(0, 0, 100.0)));
        policy.onReport(ranks, List.of(load(1, 5, 100.0021)));
        assertThat(choices(policy, ranks, 2)).containsExactly(0, 1);
        policy.onReport(ranks, List.of(load(0, 0, 100.0040)));
        assertThat(choices(policy, ranks, 3)).containsExactly(0, 0, 0);
    }

    @Test
    void shouldTakeSeveralLoadsOfOneMessage() {
        FixedRanks ranks = new FixedRanks(2);
        policy.onReport(ranks, List.of(load(0, 4, 100.0), load(1, 2, 100.0)));
        assertThat(choices(policy, ranks, 3)).containsExactly(1, 1, 0);
    }

    @Test
    void shouldPlanOnlyEveryIntervalOfCompleteRounds() {
        FixedRanks ranks = new FixedRanks(2);
        ShortestQueue everySecond = ShortestQueue.scaled(1.0, 2);
        round(everySecond, ranks, 100.0, 9, 0);
        assertThat(choices(everySecond, ranks, 2)).containsExactly(0, 1);
        round(everySecond, ranks, 101.0, 9, 0);
        assertThat(choices(everySecond, ranks, 2)).containsExactly(1, 1);
    }

    @Test
    void shouldSkipTurnsOfARankThatDied() {
        FixedRanks ranks = new FixedRanks(3);
        round(policy, ranks, 100.0, 0, 0, 3);
        assertThat(choices(policy, ranks, 1)).containsExactly(0);
        ranks.setLive(0, false);
        assertThat(choices(policy, ranks, 5)).containsExactly(1, 1, 1, 1, 2);
    }

    @Test
    void shouldGoOnWhenEveryRankOfTheLowestLevelDied() {
        FixedRanks ranks = new FixedRanks(3);
        round(policy, ranks, 100.0, 0, 2_000_000_000, 2_000_000_001);
        ranks.setLive(0, false);
        assertThat(choices(policy, ranks, 3)).containsExactly(1, 1, 2);
    }

    @Test
    void shouldCompleteRoundsWithTheLiveRanks() {
        FixedRanks ranks = new FixedRanks(3).without(1);
        policy.onReport(ranks, List.of(load(0, 2, 100.0), load(2, 0, 100.0)));
        assertThat(choices(policy, ranks, 3)).containsExactly(2, 2, 0);
    }

    @Test
    void shouldScaleTheWindowButNotBelowItsMinimum() {
        FixedRanks ranks = new FixedRanks(2);
        ShortestQueue quick = ShortestQueue.scaled(0.0, 1);
        quick.onReport(ranks, List.of(load(0, 5, 100.0), load(1, 0, 100.0004)));
        assertThat(choices(quick, ranks, 2)).containsExactly(1, 1);
        quick.onReport(ranks, List.of(load(0, 0, 200.0), load(1, 5, 200.0006)));
        assertThat(choices(quick, ranks, 3)).containsExactly(1, 1, 1);
    }
}
