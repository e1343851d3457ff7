package dpserve.controller.policy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.management.ThreadMXBean;
import dpserve.io.message.GetLoadReqOutput;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class PoliciesTest {
    private static final RequestInfo ANY =
            new RequestInfo("r", null, 10, RequestInfo.NO_RANK, RequestInfo.NO_ROOM, null, false);

    private static DispatchPolicy policy(String name) {
        return Policies.create(name, new Policies.Settings(1.0, 1));
    }

    private static List<Integer> choices(DispatchPolicy policy, RankView ranks, int n) {
        List<Integer> chosen = new ArrayList<>();
        for (int i = 0; i < n; i++) {
            chosen.add(policy.choose(ranks, ANY));
        }
        return chosen;
    }

    private static RequestInfo room(long room) {
        return new RequestInfo("r", null, 10, RequestInfo.NO_RANK, room, null, false);
    }

    @Test
    void shouldTakeLiveRanksInTurn() {
        assertThat(choices(policy("round_robin"), new FixedRanks(4).without(1), 7))
                .containsExactly(0, 2, 3, 0, 2, 3, 0);
    }

    @Test
    void shouldGoOnAfterTheLastRankWhenARankComesBack() {
        DispatchPolicy policy = policy("round_robin");
        FixedRanks ranks = new FixedRanks(3).without(2);
        assertThat(choices(policy, ranks, 2)).containsExactly(0, 1);
        ranks.setLive(2, true);
        assertThat(choices(policy, ranks, 2)).containsExactly(2, 0);
    }

    @Test
    void shouldTreatAutoAsRoundRobin() {
        assertThat(choices(policy("auto"), new FixedRanks(3), 4)).containsExactly(0, 1, 2, 0);
    }

    @Test
    void shouldFollowTheRoom() {
        DispatchPolicy policy = policy("follow_bootstrap_room");
        FixedRanks ranks = new FixedRanks(4).without(3);
        assertThat(policy.choose(ranks, room(9_000_000_000_000_001L))).isEqualTo((int) (9_000_000_000_000_001L % 4));
        assertThat(policy.choose(ranks, room(7))).isEqualTo(DispatchPolicy.NOT_LIVE);
        assertThat(policy.choose(ranks, ANY)).isEqualTo(DispatchPolicy.UNFIT);
    }

    @Test
    void shouldAllocateNothingForAChoice() {
        int ranks = 1024;
        int choices = 20_000;
        FixedRanks view = new FixedRanks(ranks).without(3, 500);
        List<GetLoadReqOutput> loads = new ArrayList<>();
        for (int r = 0; r < ranks; r++) {
            loads.add(GetLoadReqOutput.legacy(r, r % 50, 0, 0, 1.0));
        }
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        for (String name : Policies.names()) {
            DispatchPolicy policy = policy(name);
            policy.onReport(view, loads);
            RequestInfo request = room(7);
            policy.choose(view, request);
            long before = threads.getCurrentThreadAllocatedBytes();
            for (int i = 0; i < choices; i++) {
                policy.choose(view, request);
            }
            long each = (threads.getCurrentThreadAllocatedBytes() - before) / choices;
            assertThat(each).as(name).isZero();
        }
    }

    @Test
    void shouldNameTheValidMethods() {
        assertThatThrownBy(() -> policy("fastest"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage(
                        "load_balance_method (--load-balance-method): unknown value; valid are auto, follow_bootstrap_room,"
                                + " join_idle_queue, least_requests, least_tokens, least_work, lmetric, power_of_two, prefix_affinity,"
                                + " random, round_robin, shortest_queue, total_requests, total_tokens, vllm");
    }
}
