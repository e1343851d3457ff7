package dpserve.controller;

import static dpserve.controller.Harness.beat;
import static dpserve.controller.Harness.rankHello;
import static org.assertj.core.api.Assertions.assertThat;

import dpserve.io.WireRid;
import dpserve.io.message.AbortReq;
import dpserve.io.message.Hello;
import dpserve.io.message.KnownRids;
import dpserve.io.message.Role;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** A controller that follows another one tells the workers what is left of their requests. */
class CensusTest {
    private static final String OF_0 = new WireRid("a", 100, 1, 0).toString();
    private static final String OF_1 = new WireRid("b", 101, 1, 0).toString();
    private static final String OF_NOBODY = new WireRid("c", 66, 1, 0).toString();

    private final Harness h = new Harness(2, 2);

    private List<String> known(int worker) {
        List<KnownRids> told = h.out.takeWorker(worker, KnownRids.class);
        assertThat(told).hasSize(1);
        assertThat(told.get(0).epoch()).isEqualTo(Harness.EPOCH);
        return List.of(told.get(0).rids());
    }

    @Test
    void shouldTellWhenAllRanksHaveRegistered() {
        h.pass(50);
        h.workerUp(0, 100);
        h.workerUp(1, 101);
        h.rankUp(0, 50, OF_0);
        h.pass(200);
        assertThat(h.out.takeWorker(0, KnownRids.class))
                .as("rank 1 may hold more")
                .isEmpty();
        h.rankUp(1, 51, OF_1);
        String own = h.request(0, "sent to this controller");
        h.pass(50);
        assertThat(known(0)).containsExactlyInAnyOrder(OF_0, own);
        assertThat(known(1)).containsExactly(OF_1);
        h.pass(500);
        assertThat(h.out.takeWorker(0, KnownRids.class)).as("once").isEmpty();
    }

    private static Hello asking(int worker, long incarnation, long sent) {
        Hello h = Harness.workerHello(worker, incarnation);
        return new Hello(
                h.role(),
                h.index(),
                incarnation,
                h.endpoints(),
                h.protocolVersion(),
                1,
                Map.of(Hello.SENT, sent),
                new String[0]);
    }

    @Test
    void shouldTellAWorkerThatAsksWhatIsKnownOfItsAttempts() {
        h.workerUp(0, 100);
        h.inStream(0, asking(0, 100, 7));
        assertThat(h.out.takeWorker(0, KnownRids.class))
                .as("not before the ranks have registered")
                .isEmpty();
        h.rankUp(0, 50);
        h.rankUp(1, 51);
        h.pass(50);
        h.out.takeWorker(0, KnownRids.class);
        String running = h.request(0, "running");
        String ended = h.request(0, "ended");
        h.end(0, ended);
        h.inStream(0, asking(0, 100, 7));
        List<KnownRids> told = h.out.takeWorker(0, KnownRids.class);
        assertThat(told).hasSize(1);
        assertThat(told.get(0).sent()).isEqualTo(7);
        assertThat(told.get(0).rids()).containsExactly(running);
        h.inStream(0, asking(0, 99, 9));
        h.workerUp(0, 100);
        assertThat(h.out.takeWorker(0, KnownRids.class))
                .as("a former incarnation's question, and a hello without one")
                .isEmpty();
    }

    @Test
    void shouldNotWaitForARankThatDiedToo() {
        h.workerUp(0, 100);
        h.pass(50);
        h.rankUp(0, 50, OF_0);
        for (int i = 0; i < 7; i++) {
            h.controller.onDirectMessage(beat(0, 50), h.nowNs);
            h.pass(200);
        }
        assertThat(h.out.takeWorker(0, KnownRids.class)).isEmpty();
        h.controller.onDirectMessage(beat(0, 50), h.nowNs);
        h.pass(250);
        assertThat(known(0)).containsExactly(OF_0);
    }

    @Test
    void shouldWaitForTheStepOfARankThatBeats() {
        h.workerUp(0, 100);
        h.pass(50);
        h.rankUp(0, 50, OF_0);
        for (int i = 0; i < 20; i++) {
            h.controller.onDirectMessage(beat(0, 50), h.nowNs);
            h.controller.onDirectMessage(beat(1, 51), h.nowNs);
            h.pass(200);
        }
        assertThat(h.out.takeWorker(0, KnownRids.class)).isEmpty();
        h.rankUp(1, 51);
        h.pass(50);
        assertThat(known(0)).containsExactly(OF_0);
    }

    @Test
    void shouldTellALateWorkerAndOfALateRank() {
        h.rankUp(0, 50);
        h.rankUp(1, 51);
        h.workerUp(1, 101);
        h.pass(50);
        h.out.clear();
        h.workerUp(0, 100);
        assertThat(known(0)).isEmpty();
        h.controller.onDirectMessage(rankHello(1, 61, OF_0), h.nowNs);
        assertThat(known(0)).containsExactly(OF_0);
    }

    @Test
    void shouldNameRequestsThatWaitHere() {
        h.workerUp(0, 100);
        h.pass(50);
        String waits = h.request(0, "no rank yet");
        h.pass(1700);
        assertThat(known(0)).containsExactly(waits);
    }

    @Test
    void shouldEndWhatBelongsToNobody() {
        h.rankUp(0, 50, OF_NOBODY, OF_0);
        h.rankUp(1, 51);
        h.workerUp(0, 100);
        for (int i = 0; i <= 50; i++) {
            h.controller.onDirectMessage(beat(0, 50), h.nowNs);
            h.controller.onDirectMessage(beat(1, 51), h.nowNs);
            h.pass(200);
        }
        assertThat(h.controller.rids().contains(OF_NOBODY)).isFalse();
        assertThat(h.controller.rids().contains(OF_0)).isTrue();
        assertThat(h.out.takeRank(0)).contains(AbortReq.of(OF_NOBODY, null));
    }

    @Test
    void shouldTellWorkersOfADetokenizersSuccessor() {
        h.workerUp(0, 100);
        h.out.clear();
        h.controller.onDirectMessage(detokenizer(5), h.nowNs);
        h.controller.onDirectMessage(detokenizer(5), h.nowNs);
        assertThat(h.out.takeWorker(0)).isEmpty();
        Hello successor = detokenizer(6);
        h.controller.onDirectMessage(successor, h.nowNs);
        h.controller.onDirectMessage(detokenizer(5), h.nowNs);
        h.controller.onDirectMessage(detokenizer(6), h.nowNs);
        assertThat(h.out.takeWorker(0)).containsExactly(successor);
    }

    private static Hello detokenizer(long incarnation) {
        return new Hello(
                Role.DETOKENIZER, 1, incarnation, Map.of(), Hello.PROTOCOL_VERSION, 35, Map.of(), new String[0]);
    }
}
