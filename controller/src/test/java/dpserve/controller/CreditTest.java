package dpserve.controller;

import static org.assertj.core.api.Assertions.assertThat;

import dpserve.controller.policy.Policies;
import dpserve.io.message.Refused;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What happens once every rank has all the requests it may have. */
class CreditTest {
    private static final int CREDIT = 3;

    /** The harness's frames have 3 bytes. */
    private static final int QUEUE_BYTES = 12;

    private Harness start(String policy) {
        Harness h = new Harness(
                2,
                1,
                0,
                LoadBalance.of(Policies.create(policy, new Policies.Settings(1, 1))),
                new ControllerConfig.Limits(CREDIT, QUEUE_BYTES));
        h.workerUp(0, 100);
        h.rankUp(0, 50);
        h.rankUp(1, 51);
        h.out.takeWorker(0);
        h.out.takeRank(0);
        h.out.takeRank(1);
        return h;
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "round_robin",
                "random",
                "power_of_two",
                "shortest_queue",
                "least_requests",
                "least_work",
                "lmetric"
            })
    void shouldKeepWhatExceedsTheCreditAndSendItAsRequestsEnd(String policy) {
        Harness h = start(policy);
        List<String> rids = new ArrayList<>();
        for (int i = 0; i < 10; i++) {
            rids.add(h.request(0, "r" + i));
        }
        assertThat(h.controller.view().inFlightRequests(0)).isEqualTo(CREDIT);
        assertThat(h.controller.view().inFlightRequests(1)).isEqualTo(CREDIT);
        assertThat(h.controller.heldRequests()).isEqualTo(4);
        assertThat(h.out.takeWorker(0)).isEmpty();
        for (String rid : rids) {
            assertThat(h.controller.rids().contains(rid)).as(rid).isTrue();
            h.end(0, rid);
            assertThat(h.controller.view().inFlightRequests(0)).isLessThanOrEqualTo(CREDIT);
            assertThat(h.controller.view().inFlightRequests(1)).isLessThanOrEqualTo(CREDIT);
        }
        assertThat(h.controller.rids().size()).isZero();
        assertThat(h.controller.heldRequests()).isZero();
    }

    @Test
    void shouldRefuseAtOnceWhatTheQueueCannotHold() {
        Harness h = start("least_requests");
        for (int i = 0; i < 10; i++) {
            h.request(0, "r" + i);
        }
        String last = h.request(0, "one too many");
        assertThat(h.out.takeWorker(0))
                .containsExactly(new Refused(last, 503, "the queue for a rank is full (--max-queue-bytes 12)"));
        assertThat(h.controller.heldRequests()).isEqualTo(4);
    }

    @Test
    void shouldLetThemWaitForRoomLongerThanForARank() {
        Harness h = start("least_requests");
        for (int i = 0; i < 7; i++) {
            h.request(0, "r" + i);
        }
        for (int i = 0; i < 100; i++) {
            h.pass(100);
            h.controller.onDirectMessage(Harness.beat(0, 50), h.nowNs);
            h.controller.onDirectMessage(Harness.beat(1, 51), h.nowNs);
        }
        assertThat(h.controller.heldRequests()).isEqualTo(1);
    }

    @Test
    void shouldRefuseAPinToAFullRankButProbeIt() {
        Harness h = start("least_requests");
        for (int i = 0; i < 6; i++) {
            h.request(0, "r" + i);
        }
        h.request(0, Harness.pinned("p", 1));
        assertThat(h.out.takeWorker(0))
                .singleElement()
                .isInstanceOfSatisfying(
                        Refused.class, r -> assertThat(r.reason()).contains("--max-requests-per-rank 3"));
        h.out.takeRank(1);
        h.request(0, Harness.pinned("HEALTH_CHECK_1", 1));
        assertThat(h.out.takeRank(1)).hasSize(1);
    }

    @Test
    void shouldSendAProbeWithoutPinAtOnceWhenEveryRankIsFull() {
        Harness h = start("least_requests");
        for (int i = 0; i < 7; i++) {
            h.request(0, "r" + i);
        }
        h.out.takeRank(0);
        h.out.takeRank(1);
        h.request(0, Harness.info("HEALTH_CHECK_1", 1));
        assertThat(h.out.takeRank(0).size() + h.out.takeRank(1).size()).isEqualTo(1);
        assertThat(h.controller.heldRequests()).isEqualTo(1);
    }
}
