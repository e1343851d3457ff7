package dpserve.controller;

import static dpserve.controller.Harness.MS;
import static dpserve.controller.Harness.beat;
import static dpserve.controller.Harness.input;
import static org.assertj.core.api.Assertions.assertThat;

import dpserve.io.message.ControllerHello;
import dpserve.io.message.Fenced;
import dpserve.io.message.GetLoadReqOutput;
import dpserve.io.message.Heartbeat;
import dpserve.io.message.Hello;
import dpserve.io.message.RankDown;
import dpserve.io.message.RankUp;
import dpserve.io.message.Role;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class RankLivenessTest {
    private final Harness h = new Harness(2, 2);

    private void beatFor(long ms, int dpRank, long incarnation) {
        for (long t = 0; t < ms; t += 200) {
            h.pass(200);
            h.controller.onDirectMessage(beat(dpRank, incarnation), h.nowNs);
        }
    }

    @Test
    void shouldConnectGreetAndAnnounceARank() {
        h.workerUp(0, 100);
        h.out.clear();
        h.rankUp(1, 51);
        assertThat(h.out.rankConnections).containsEntry(1, input(1, 51));
        assertThat(h.out.takeRank(1)).containsExactly(new ControllerHello(Harness.EPOCH, Hello.PROTOCOL_VERSION));
        assertThat(h.out.takeWorker(0)).containsExactly(new RankUp(1, 51, input(1, 51), Map.of("kv", 7L), ""));
        assertThat(h.controller.view().isLive(1)).isTrue();
        h.rankUp(1, 51);
        assertThat(h.out.takeWorker(0)).as("the same hello again").isEmpty();
    }

    @Test
    void shouldTellALateWorkerOfEveryLiveRank() {
        h.rankUp(0, 50);
        h.rankUp(1, 51);
        h.workerUp(1, 101);
        assertThat(h.out.takeWorker(1))
                .containsExactly(
                        new ControllerHello(Harness.EPOCH, Hello.PROTOCOL_VERSION),
                        new RankUp(0, 50, input(0, 50), Map.of("kv", 7L), ""),
                        new RankUp(1, 51, input(1, 51), Map.of("kv", 7L), ""));
        assertThat(h.out.takeWorker(0)).isEmpty();
    }

    @Test
    void shouldGreetWorkersEverySecond() {
        h.workerUp(0, 100);
        h.pass(50);
        h.out.clear();
        h.pass(3000);
        assertThat(h.out.takeWorker(0, ControllerHello.class)).hasSize(3);
    }

    @Test
    void shouldReturnTheAttemptsOfADeadRankToTheirWorkers() {
        h.rankUp(0, 50);
        h.rankUp(1, 51);
        h.workerUp(0, 100);
        h.workerUp(1, 101);
        String kept = h.request(0, "on rank 0");
        String lost0 = h.request(0, "on rank 1");
        h.request(1, "on rank 0");
        String lost1 = h.request(1, "on rank 1");
        h.out.clear();
        beatFor(800, 0, 50);
        assertThat(h.controller.view().isLive(1)).as("not yet over the timeout").isTrue();
        h.pass(50);

        assertThat(h.controller.view().isLive(1)).isFalse();
        assertThat(h.out.rankConnections).doesNotContainKey(1);
        List<RankDown> told0 = h.out.takeWorker(0, RankDown.class);
        assertThat(told0).hasSize(1);
        assertThat(told0.get(0).rids()).containsExactly(lost0);
        assertThat(told0.get(0).reason()).isEqualTo("no heartbeat for 800 ms");
        assertThat(h.out.takeWorker(1, RankDown.class).get(0).rids()).containsExactly(lost1);
        assertThat(h.controller.rids().size()).isEqualTo(2);
        assertThat(h.controller.view().requests(1)).isZero();
        h.end(0, kept, lost0);
        assertThat(h.count(Count.UNKNOWN_ENDS)).isEqualTo(1);
        h.request(0, "x");
        h.request(0, "y");
        assertThat(h.controller.view().requests(0))
                .as("everything goes to the rank that lives")
                .isEqualTo(3);
    }

    @Test
    void shouldNotCountTimeInWhichTheControllerItselfStoodStill() {
        h.rankUp(0, 50);
        h.pass(400);
        h.nowNs += 30_000 * MS;
        h.controller.onTick(h.nowNs);
        assertThat(h.controller.view().isLive(0)).isTrue();
        h.pass(250);
        assertThat(h.controller.view().isLive(0)).isTrue();
        h.pass(50);
        assertThat(h.controller.view().isLive(0)).isFalse();
    }

    @Test
    void shouldFenceTheGhostOfADeadIncarnation() {
        h.rankUp(0, 50);
        h.pass(900);
        h.out.clear();
        h.controller.onDirectMessage(beat(0, 50), h.nowNs);
        assertThat(h.out.inputs).containsEntry(input(0, 50), List.of(new Fenced(0, 50)));
        h.controller.onDirectMessage(beat(0, 50), h.nowNs);
        h.controller.onDirectMessage(Harness.rankHello(0, 50), h.nowNs);
        assertThat(h.out.inputs.get(input(0, 50))).as("at most one a second").hasSize(1);
        h.pass(1100);
        h.controller.onDirectMessage(beat(0, 50), h.nowNs);
        assertThat(h.out.inputs.get(input(0, 50))).hasSize(2);
        assertThat(h.controller.view().isLive(0)).isFalse();
        h.rankUp(0, 57);
        assertThat(h.controller.view().isLive(0)).isTrue();
    }

    @Test
    void shouldCountARankThatWasNotDeadOnce() {
        h.rankUp(0, 50);
        h.pass(900);
        assertThat(h.count(Count.RANKS_DOWN)).isEqualTo(1);
        assertThat(h.count(Count.RANKS_DOWN_FALSELY)).as("silent so far").isZero();
        h.controller.onDirectMessage(beat(0, 50), h.nowNs);
        h.controller.onDirectMessage(beat(0, 50), h.nowNs);
        assertThat(h.count(Count.RANKS_DOWN_FALSELY)).isEqualTo(1);
        h.rankUp(0, 57);
        h.controller.onDirectMessage(beat(0, 50), h.nowNs);
        assertThat(h.count(Count.RANKS_DOWN_FALSELY))
                .as("a ghost of before is no second error")
                .isEqualTo(1);
        h.pass(900);
        h.controller.onDirectMessage(beat(0, 57), h.nowNs);
        assertThat(h.count(Count.RANKS_DOWN_FALSELY)).isEqualTo(2);
    }

    @Test
    void shouldLetTheHigherOfTwoClaimsWin() {
        h.workerUp(0, 100);
        h.rankUp(0, 50);
        String lost = h.request(0, "a");
        h.out.clear();
        h.rankUp(0, 67);
        assertThat(h.out.inputs).containsEntry(input(0, 50), List.of(new Fenced(0, 50)));
        assertThat(h.out.rankConnections).containsEntry(0, input(0, 67));
        List<Object> told = h.out.takeWorker(0);
        assertThat(((RankDown) told.get(0)).rids()).containsExactly(lost);
        assertThat(told.get(1)).isEqualTo(new RankUp(0, 67, input(0, 67), Map.of("kv", 7L), ""));

        h.pass(600);
        h.controller.onDirectMessage(beat(0, 67), h.nowNs);
        h.pass(500);
        h.controller.onDirectMessage(beat(0, 55), h.nowNs);
        assertThat(h.out.inputs).containsEntry(input(0, 55), List.of(new Fenced(0, 55)));
        assertThat(h.controller.ranks().get(0).incarnation()).isEqualTo(67);
    }

    @Test
    void shouldGreetAnUnknownIncarnationAndAdoptWhatItHolds() {
        h.workerUp(0, 100);
        GetLoadReqOutput load =
                new GetLoadReqOutput(null, null, 1, 2, 0, 20, 1.0, 51, 77, 40, 400, 38, 380, 0, 0, 0, 0, 0, 0);
        h.controller.onDirectMessage(new Heartbeat(1, 51, input(1, 51), 9, 2, 0, load), h.nowNs);
        assertThat(h.out.takeRank(1)).containsExactly(new ControllerHello(Harness.EPOCH, Hello.PROTOCOL_VERSION));
        assertThat(h.controller.view().isLive(1)).as("it has not registered").isFalse();

        h.controller.onDirectMessage(
                new Hello(
                        Role.SCHEDULER,
                        1,
                        51,
                        Map.of(Hello.INPUT, input(1, 51)),
                        Hello.PROTOCOL_VERSION,
                        33,
                        Map.of(Hello.RECEIVED_REQS, 40L, Hello.RECEIVED_TOKENS, 400L),
                        new String[] {"a\u001f100.1.0", "b\u001f101.1.0"}),
                h.nowNs);
        assertThat(h.out.takeRank(1)).as("greeted once").isEmpty();
        assertThat(h.controller.view().requests(1)).isEqualTo(2);
        assertThat(h.controller.rids().get("a\u001f100.1.0").worker()).isZero();
        assertThat(h.controller.rids().get("b\u001f101.1.0").worker()).isEqualTo(RidMap.NO_WORKER);
        h.workerUp(1, 101);
        assertThat(h.controller.rids().get("b\u001f101.1.0").worker()).isEqualTo(1);

        h.request(0, "new");
        h.controller.onReports(List.of(load), h.nowNs);
        assertThat(h.controller.view().impossibleCounts()).isZero();
        assertThat(h.controller.view().unseenRequests(1)).isEqualTo(1);
        assertThat(h.controller.view().unseenPromptTokens(1)).isEqualTo(10);
        assertThat(h.controller.view().requests(1)).isEqualTo(3);
        h.end(0, "a\u001f100.1.0");
        assertThat(h.controller.view().requests(1)).isEqualTo(2);
    }

    @Test
    void shouldTakeRanksBeyondDpSize() {
        h.workerUp(0, 100);
        h.rankUp(5, 55);
        h.request(0, "a");
        assertThat(h.controller.view().requests(5)).isEqualTo(1);
    }

    @Test
    void shouldDropClaimsThatCannotBeRight() {
        h.rankUp(-1, 50);
        h.rankUp(4096, 50);
        h.rankUp(0, 0);
        h.controller.onDirectMessage(
                new Hello(Role.SCHEDULER, 0, 50, Map.of(Hello.INPUT, "ipc://x"), 1, 1, Map.of(), new String[0]),
                h.nowNs);
        h.controller.onDirectMessage(
                new Hello(Role.SCHEDULER, 0, 50, Map.of(), Hello.PROTOCOL_VERSION, 1, Map.of(), new String[0]),
                h.nowNs);
        h.controller.onDirectMessage(
                new Hello(Role.SCHEDULER, 0, 50, Map.of(Hello.INPUT, input(0, 0)), 99, 1, Map.of(), new String[0]),
                h.nowNs);
        assertThat(h.limiter.totals()).containsEntry("bad_hello", 6L);
        assertThat(h.controller.view().liveCount()).isZero();
        assertThat(h.out.rankConnections).isEmpty();
    }

    private static Hello steppingRank(int dpRank, long incarnation) {
        Hello plain = Harness.rankHello(dpRank, incarnation);
        return new Hello(
                plain.role(),
                dpRank,
                incarnation,
                Map.of(Hello.INPUT, input(dpRank, incarnation), Hello.STEP, "tcp://127.0.0.1:99" + dpRank),
                plain.protocolVersion(),
                plain.pid(),
                plain.info(),
                plain.heldRids());
    }

    @Test
    void shouldTellRanksThatStepTogetherOfEachOtherAndOfADeath() {
        Harness h = new Harness(3, 1);
        h.rankUp(2, 52);
        h.controller.onDirectMessage(steppingRank(0, 50), h.nowNs);
        h.out.takeRank(0);
        h.controller.onDirectMessage(steppingRank(1, 51), h.nowNs);
        RankUp up0 = new RankUp(0, 50, input(0, 50), Map.of("kv", 7L), "tcp://127.0.0.1:990");
        RankUp up1 = new RankUp(1, 51, input(1, 51), Map.of("kv", 7L), "tcp://127.0.0.1:991");
        assertThat(h.out.takeRank(0)).containsExactly(up1);
        assertThat(h.out.takeRank(1)).contains(up0).doesNotContain(up1);
        assertThat(h.out.takeRank(2)).as("steps alone").noneMatch(RankUp.class::isInstance);
        for (int i = 0; i < 20; i++) {
            h.pass(50);
            h.controller.onDirectMessage(beat(0, 50), h.nowNs);
        }
        assertThat(h.out.takeRank(0)).singleElement().satisfies(message -> {
            RankDown down = (RankDown) message;
            assertThat(down.dpRank()).isEqualTo(1);
            assertThat(down.incarnation()).isEqualTo(51);
        });
    }

    @Test
    void shouldGreetAgainARankThatBeatsAndDoesNotRegister() {
        h.controller.onDirectMessage(beat(0, 50), h.nowNs);
        ControllerHello greeting = new ControllerHello(Harness.EPOCH, Hello.PROTOCOL_VERSION);
        assertThat(h.out.takeRank(0)).containsExactly(greeting);
        for (int i = 0; i < 12; i++) {
            h.pass(100);
            h.controller.onDirectMessage(beat(0, 50), h.nowNs);
        }
        assertThat(h.out.takeRank(0)).as("the first, or the answer, got lost").containsExactly(greeting);

        h.rankUp(0, 50);
        for (int i = 0; i < 12; i++) {
            h.pass(100);
            h.controller.onDirectMessage(beat(0, 50), h.nowNs);
        }
        assertThat(h.out.takeRank(0)).isEmpty();
    }

    @Test
    void shouldTellNoAgeBelowZeroToWhoAsksWithAnEarlierTime() {
        h.rankUp(0, 50);
        h.pass(100);
        h.controller.onDirectMessage(beat(0, 50), h.nowNs);
        h.controller.onReports(List.of(GetLoadReqOutput.legacy(0, 0, 0, 0, h.nowNs / 1e9)), h.nowNs);
        Map<?, ?> rank = (Map<?, ?>)
                ((List<?>) h.controller.internalState(h.nowNs - 3 * MS).get("ranks")).get(0);
        assertThat(rank.get("heartbeat_age_s")).isEqualTo(0.0);
        assertThat(rank.get("report_age_s")).isEqualTo(0.0);
    }
}
