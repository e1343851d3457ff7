package dpserve.controller;

import static org.assertj.core.api.Assertions.assertThat;

import dpserve.controller.policy.Policies;
import dpserve.io.message.DrainRank;
import dpserve.io.message.Fenced;
import dpserve.io.message.Heartbeat;
import dpserve.io.message.Hello;
import dpserve.io.message.RankDown;
import dpserve.io.message.RankStatus;
import dpserve.io.message.RankUp;
import dpserve.io.message.Refused;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class RankDrainTest {
    private static final String CALLER = "tcp://127.0.0.1:7000";
    private final Harness h = new Harness(2, 2);

    @BeforeEach
    void start() {
        h.workerUp(0, 100);
        h.workerUp(1, 101);
        h.rankUp(0, 50);
        h.rankUp(1, 51);
        take();
    }

    private void take() {
        h.out.takeWorker(0);
        h.out.takeWorker(1);
        h.out.takeRank(0);
        h.out.takeRank(1);
    }

    private RankStatus call(int dpRank, String action) {
        h.inStream(0, new DrainRank("c", CALLER, dpRank, action));
        List<Object> told = h.out.takeWorker(0);
        return (RankStatus) told.get(told.size() - 1);
    }

    private static RankStatus answer(int dpRank, String state, long requests) {
        return new RankStatus("c", CALLER, "", dpRank, state, requests);
    }

    private static RankStatus news(int dpRank, String state, long requests) {
        return new RankStatus(null, null, "", dpRank, state, requests);
    }

    private void beat(int dpRank, long incarnation, int held) {
        h.controller.onDirectMessage(
                new Heartbeat(dpRank, incarnation, Harness.input(dpRank, incarnation), 1, held, 0, null), h.nowNs);
    }

    @SuppressWarnings("unchecked")
    private List<String> states() {
        List<String> states = new ArrayList<>();
        for (Object rank : (List<Object>) h.controller.internalState(h.nowNs).get("ranks")) {
            states.add((String) ((Map<String, Object>) rank).get("state"));
        }
        return states;
    }

    static List<String> policies() {
        return Policies.names().stream()
                .filter(name -> !name.equals("follow_bootstrap_room"))
                .toList();
    }

    @ParameterizedTest
    @MethodSource("policies")
    void shouldSendNothingNewToADrainingRank(String policy) {
        Harness other = new Harness(3, 1, 0, policy);
        other.workerUp(0, 100);
        for (int r = 0; r < 3; r++) {
            other.rankUp(r, 50 + r);
        }
        other.out.takeRank(1);
        other.inStream(0, new DrainRank("c", CALLER, 1, DrainRank.DRAIN));
        for (int i = 0; i < 30; i++) {
            other.request(0, "u" + i);
        }
        assertThat(other.out.takeRank(1))
                .as("nothing but the word itself")
                .hasSize(1)
                .first()
                .isInstanceOf(DrainRank.class);
        assertThat(other.controller.rids().requests(0) + other.controller.rids().requests(2))
                .isEqualTo(30);
        assertThat(other.count(Count.POLICY_CHOSE_DEAD_RANK)).isZero();
    }

    @Test
    void shouldBeDrainedWhenTheLastRequestHasEnded() {
        String first = h.request(0, "a");
        String second = h.request(0, "b");
        beat(0, 50, 1);
        beat(1, 51, 1);
        assertThat(call(0, DrainRank.DRAIN)).isEqualTo(answer(0, "draining", 1));
        assertThat(h.out.takeWorker(1)).containsExactly(news(0, "draining", 1));
        h.end(0, first, second);
        h.pass(100);
        assertThat(states()).as("the rank itself still holds one").containsExactly("draining", "up");
        beat(0, 50, 0);
        h.pass(100);
        assertThat(states()).containsExactly("drained", "up");
        assertThat(h.out.takeWorker(1)).contains(news(0, "drained", 0));
    }

    @Test
    void shouldTakeRequestsAgainWhenUndrained() {
        call(0, DrainRank.DRAIN);
        h.out.takeRank(1);
        assertThat(call(0, DrainRank.UNDRAIN)).isEqualTo(answer(0, "up", 0));
        h.request(0, "a");
        h.request(0, "b");
        assertThat(h.controller.rids().requests(0)).isEqualTo(1);
        h.out.takeWorker(1);
        assertThat(call(0, DrainRank.UNDRAIN)).as("asked again").isEqualTo(answer(0, "up", 1));
        assertThat(h.out.takeWorker(1)).isEmpty();
    }

    @Test
    void shouldRefuseAPinToADrainingRank() {
        call(0, DrainRank.DRAIN);
        h.request(0, Harness.pinned("p", 0));
        assertThat(h.out.takeWorker(0)).containsExactly(new Refused("p", 503, "dp_rank 0 is draining"));
    }

    @Test
    void shouldHoldRequestsWhileAllRanksDrainAndSendThemAfterAnUndrain() {
        call(0, DrainRank.DRAIN);
        call(1, DrainRank.DRAIN);
        h.request(0, "a");
        assertThat(h.controller.heldRequests()).isEqualTo(1);
        call(1, DrainRank.UNDRAIN);
        assertThat(h.controller.heldRequests()).isZero();
        assertThat(h.controller.rids().requests(1)).isEqualTo(1);
    }

    @Test
    void shouldReturnWhatARemovedRankHadAndFenceItsProcess() {
        String rid = h.request(0, "a");
        call(0, DrainRank.DRAIN);
        call(1, DrainRank.DRAIN);
        int holder = h.controller.rids().requests(0) == 1 ? 0 : 1;
        h.out.takeWorker(1);
        h.inStream(0, new DrainRank("c", CALLER, holder, DrainRank.FORGET));
        List<Object> told = h.out.takeWorker(0);
        assertThat(told.get(0))
                .isInstanceOfSatisfying(
                        RankDown.class, down -> assertThat(down.rids()).containsExactly(rid));
        assertThat(told).endsWith(news(holder, "removed", 0), answer(holder, "removed", 0));
        assertThat(states()).hasSize(1);
        h.nowNs += 2_000 * Harness.MS;
        beat(holder, 50 + holder, 0);
        assertThat(h.out.inputs.get(Harness.input(holder, 50 + holder))).contains(new Fenced(holder, 50 + holder));
        assertThat(h.count(Count.RANKS_DOWN_FALSELY)).isZero();
    }

    @Test
    void shouldTakeBackARemovedRankAndTakeInOneMore() {
        call(1, DrainRank.DRAIN);
        call(1, DrainRank.FORGET);
        h.rankUp(1, 60);
        h.rankUp(2, 61);
        assertThat(states()).containsExactly("up", "up", "up");
        for (int i = 0; i < 3; i++) {
            h.request(0, "u" + i);
        }
        for (int r = 0; r < 3; r++) {
            assertThat(h.controller.rids().requests(r)).isEqualTo(1);
        }
    }

    @Test
    void shouldTellANewWorkerOfDrainingAndRemovedRanks() {
        h.rankUp(2, 61);
        call(1, DrainRank.DRAIN);
        call(1, DrainRank.FORGET);
        call(2, DrainRank.DRAIN);
        h.out.takeWorker(1);
        h.workerUp(1, 200);
        List<Object> told = h.out.takeWorker(1);
        assertThat(told).filteredOn(RankUp.class::isInstance).hasSize(2);
        assertThat(told).contains(news(1, "removed", 0), news(2, "drained", 0));
    }

    @Test
    void shouldTellTheRankSoThatItSaysSoToTheNextController() {
        call(0, DrainRank.DRAIN);
        assertThat(h.out.takeRank(0)).containsExactly(new DrainRank(null, null, 0, DrainRank.DRAIN));
        Hello drained = Harness.rankHello(0, 70);
        h.controller.onDirectMessage(
                new Hello(drained.role(), 0, 70, drained.endpoints(), 1, 33, Map.of(Hello.DRAINING, 1L), new String[0]),
                h.nowNs);
        assertThat(states()).containsExactly("drained", "up");
    }

    @Test
    void shouldRefuseWhatMakesNoSense() {
        assertThat(call(7, DrainRank.DRAIN).error()).isEqualTo("there is no dp_rank 7");
        assertThat(call(0, DrainRank.FORGET).error()).isEqualTo("dp_rank 0 takes requests; drain it first");
        assertThat(call(0, "dance").error()).startsWith("the action must be");
        h.pass(2_000);
        assertThat(call(0, DrainRank.DRAIN).error()).isEqualTo("dp_rank 0 is not up");
        Harness legacy = new Harness(1, 1, 1, "round_robin");
        legacy.workerUp(0, 100);
        legacy.out.takeWorker(0);
        legacy.inStream(0, new DrainRank("c", CALLER, 0, DrainRank.DRAIN));
        assertThat(legacy.out.takeWorker(0))
                .hasSize(1)
                .first()
                .isInstanceOfSatisfying(
                        RankStatus.class, s -> assertThat(s.error()).contains("SGLang's own"));
    }
}
