package dpserve.controller.policy;

import static org.assertj.core.api.Assertions.assertThat;

import dpserve.io.message.GetLoadReqOutput;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.function.IntToDoubleFunction;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Each policy against a plain reference written from its paper or issue. */
class LoadAwarePoliciesTest {
    private static final int RANKS = 7;
    private static final int ROUNDS = 3000;

    private final Random random = new Random(5);

    private static DispatchPolicy policy(String name) {
        return Policies.create(name, new Policies.Settings(1.0, 1, 9));
    }

    private static RequestInfo request(int tokens) {
        return new RequestInfo("r", null, tokens, RequestInfo.NO_RANK, RequestInfo.NO_ROOM, null, false);
    }

    private static RequestInfo prompt(String key, long... prefixes) {
        return new RequestInfo("r", null, 10, RequestInfo.NO_RANK, RequestInfo.NO_ROOM, key, prefixes, false);
    }

    private FixedRanks randomRanks() {
        FixedRanks ranks = new FixedRanks(RANKS);
        for (int r = 0; r < RANKS; r++) {
            // Few different values, so that ties are common.
            ranks.requests[r] = random.nextInt(4);
            ranks.promptTokens[r] = random.nextInt(4) * 100L;
            ranks.tokens[r] = random.nextInt(4) * 100L;
            ranks.unseenPromptTokens[r] = random.nextInt(3) * 50L;
            ranks.reportedRequests[r] = 3 + random.nextInt(4);
            ranks.reportedWaiting[r] = random.nextInt(4);
            ranks.reportedTokens[r] = random.nextInt(4) * 100;
            ranks.reportedWaitingTokens[r] = random.nextInt(3) * 100;
            ranks.requestsSince[r] = random.nextInt(3);
            ranks.tokensSince[r] = random.nextInt(3) * 100L;
            ranks.setLive(r, random.nextInt(5) > 0);
        }
        ranks.setLive(random.nextInt(RANKS), true);
        return ranks;
    }

    /** Live ranks with the least score, by comparing every pair. */
    private static Set<Integer> best(FixedRanks ranks, IntToDoubleFunction score) {
        Set<Integer> best = new HashSet<>();
        for (int a = 0; a < RANKS; a++) {
            boolean beaten = !ranks.isLive(a);
            for (int b = 0; b < RANKS; b++) {
                beaten |= ranks.isLive(b) && score.applyAsDouble(b) < score.applyAsDouble(a);
            }
            if (!beaten) {
                best.add(a);
            }
        }
        return best;
    }

    private static Map<String, IntToDoubleFunction> references(FixedRanks ranks, int promptTokens) {
        double second = 1e-6;
        return Map.of(
                "least_requests", r -> ranks.requests[r],
                "least_tokens", r -> ranks.tokens[r] + second * ranks.requests[r],
                "total_requests", r -> ranks.reportedRequests[r] + ranks.requestsSince[r],
                "total_tokens",
                        r -> ranks.reportedTokens[r]
                                + ranks.tokensSince[r]
                                + second * (ranks.reportedRequests[r] + ranks.requestsSince[r]),
                "vllm",
                        r -> 4.0 * (ranks.reportedWaiting[r] + ranks.requestsSince[r])
                                + (ranks.reportedRequests[r] - ranks.reportedWaiting[r]),
                "least_work",
                        r -> ranks.promptTokens[r]
                                + 2.0 * (ranks.reportedWaitingTokens[r] + ranks.unseenPromptTokens[r])
                                + second * ranks.requests[r],
                "lmetric",
                        r -> (ranks.reportedWaitingTokens[r] + ranks.unseenPromptTokens[r] + promptTokens)
                                        * (ranks.requests[r] + 1.0)
                                + second * ranks.requests[r]);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "least_requests",
                "least_tokens",
                "total_requests",
                "total_tokens",
                "vllm",
                "lmetric",
                "least_work"
            })
    void shouldChooseAsItsReference(String name) {
        DispatchPolicy policy = policy(name);
        for (int i = 0; i < ROUNDS; i++) {
            FixedRanks ranks = randomRanks();
            int promptTokens = 1 + random.nextInt(500);
            Set<Integer> best = best(ranks, references(ranks, promptTokens).get(name));
            assertThat(best).contains(policy.choose(ranks, request(promptTokens)));
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "least_requests",
                "least_tokens",
                "total_requests",
                "total_tokens",
                "vllm",
                "lmetric",
                "least_work"
            })
    void shouldGiveTiesToEveryRankInTurn(String name) {
        DispatchPolicy policy = policy(name);
        FixedRanks ranks = new FixedRanks(RANKS).without(2);
        int[] chosen = IntStream.range(0, 12)
                .map(i -> policy.choose(ranks, request(1)))
                .toArray();
        assertThat(chosen).containsExactly(0, 1, 3, 4, 5, 6, 0, 1, 3, 4, 5, 6);
    }

    @Test
    void shouldDrawEveryLiveRankEquallyOften() {
        DispatchPolicy policy = policy("random");
        FixedRanks ranks = new FixedRanks(RANKS).without(0, 3);
        int[] counts = new int[RANKS];
        int draws = 50_000;
        for (int i = 0; i < draws; i++) {
            counts[policy.choose(ranks, request(1))]++;
        }
        assertThat(counts[0] + counts[3]).isZero();
        for (int r : new int[] {1, 2, 4, 5, 6}) {
            assertThat(counts[r]).isBetween(draws / 5 - 500, draws / 5 + 500);
        }
    }

    @Test
    void shouldTakeTheBetterOfTwoAndNeverTheWorstOfAll() {
        DispatchPolicy policy = policy("power_of_two");
        FixedRanks ranks = new FixedRanks(RANKS);
        for (int r = 0; r < RANKS; r++) {
            ranks.requests[r] = r;
        }
        int[] counts = new int[RANKS];
        int draws = 42_000;
        for (int i = 0; i < draws; i++) {
            counts[policy.choose(ranks, request(1))]++;
        }
        // Of the 21 pairs, rank r is the better one of 6 - r.
        for (int r = 0; r < RANKS; r++) {
            assertThat(counts[r]).isBetween((6 - r) * 2000 - 300, (6 - r) * 2000 + 300);
        }
        assertThat(counts[RANKS - 1]).isZero();
    }

    @Test
    void shouldFillIdleRanksInTheOrderTheyReported() {
        DispatchPolicy policy = policy("join_idle_queue");
        FixedRanks ranks = new FixedRanks(RANKS);
        policy.onReport(ranks, List.of(idle(4), idle(2), GetLoadReqOutput.legacy(1, 3, 0, 0, 0), idle(4)));
        assertThat(policy.choose(ranks, request(1))).isEqualTo(4);
        ranks.requests[4] = 1;
        policy.onReport(ranks, List.of(idle(6), idle(5)));
        // Given work since, or gone: no longer idle.
        ranks.requests[6] = 1;
        ranks.setLive(2, false);
        assertThat(policy.choose(ranks, request(1))).isEqualTo(5);
        int[] counts = new int[RANKS];
        for (int i = 0; i < 6000; i++) {
            counts[policy.choose(ranks, request(1))]++;
        }
        assertThat(counts[2]).isZero();
        assertThat(Arrays.stream(counts).filter(c -> c > 800).count()).isEqualTo(RANKS - 1);
    }

    private static GetLoadReqOutput idle(int dpRank) {
        return GetLoadReqOutput.legacy(dpRank, 0, 0, 0, 0);
    }

    @Test
    void shouldGoWhereTheLongestPrefixWent() {
        DispatchPolicy policy = policy("prefix_affinity");
        FixedRanks ranks = new FixedRanks(RANKS);
        int first = policy.choose(ranks, prompt(null, 11L << 32, 12L << 32));
        int other = policy.choose(ranks, prompt(null, 21L << 32));
        assertThat(other).isNotEqualTo(first);
        assertThat(policy.choose(ranks, prompt(null, 21L << 32, 22L << 32))).isEqualTo(other);
        assertThat(policy.choose(ranks, prompt(null, 11L << 32, 99L << 32))).isEqualTo(first);
        ranks.setLive(first, false);
        assertThat(policy.choose(ranks, prompt(null, 11L << 32))).isNotEqualTo(first);
    }

    @Test
    void shouldKeepASessionTogetherUntilItsRankIsOverloaded() {
        DispatchPolicy policy = policy("prefix_affinity");
        FixedRanks ranks = new FixedRanks(RANKS);
        int home = policy.choose(ranks, prompt("session"));
        for (int i = 0; i < 5; i++) {
            assertThat(policy.choose(ranks, prompt("session"))).isEqualTo(home);
        }
        ranks.requests[home] = 20;
        assertThat(policy.choose(ranks, prompt("session"))).isNotEqualTo(home);
    }

    @Test
    void shouldKeepAPrefixWhereItIsUntilThatRankHoldsTooManyPromptTokens() {
        DispatchPolicy policy = policy("least_work");
        FixedRanks ranks = new FixedRanks(RANKS);
        int home = policy.choose(ranks, prompt(null, 11L << 32));
        ranks.promptTokens[home] = 16_000;
        assertThat(policy.choose(ranks, prompt(null, 11L << 32, 12L << 32))).isEqualTo(home);
        ranks.promptTokens[home] = 30_000;
        assertThat(policy.choose(ranks, prompt(null, 11L << 32, 12L << 32))).isNotEqualTo(home);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "least_requests",
                "least_tokens",
                "total_requests",
                "total_tokens",
                "vllm",
                "lmetric",
                "least_work",
                "random",
                "power_of_two",
                "join_idle_queue",
                "prefix_affinity",
                "round_robin",
                "shortest_queue"
            })
    void shouldChooseLiveRanksOnly(String name) {
        DispatchPolicy policy = policy(name);
        for (int i = 0; i < ROUNDS; i++) {
            FixedRanks ranks = randomRanks();
            long prefix = (long) random.nextInt(5) + 1 << 32;
            assertThat(ranks.isLive(policy.choose(ranks, prompt(null, prefix)))).isTrue();
            if (i % 3 == 0) {
                policy.onReport(
                        ranks, List.of(GetLoadReqOutput.legacy(random.nextInt(RANKS), random.nextInt(2), 0, 0, i)));
            }
        }
    }
}
