package dpserve.controller;

import static dpserve.controller.Harness.input;
import static org.assertj.core.api.Assertions.assertThat;

import dpserve.io.WireRid;
import dpserve.io.message.AbortReq;
import dpserve.io.message.Heartbeat;
import dpserve.io.message.HeldRids;
import dpserve.io.message.LostRids;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** A rank and the rid map that disagree for long compare their lists, and what is wrong is put right. */
class ReconciliationTest {
    private final Harness h = new Harness(1, 1);
    private final List<String> onRank = new ArrayList<>();
    private int questions;

    ReconciliationTest() {
        h.workerUp(0, 100);
        h.rankUp(0, 50);
        h.pass(50);
        h.out.clear();
    }

    /** The rank beats, and answers whatever it is asked. */
    private void live(long ms) {
        for (long t = 0; t < ms; t += 200) {
            h.pass(200);
            beat();
            for (Object asked : h.out.takeRank(0)) {
                if (asked instanceof HeldRids) {
                    questions++;
                    h.controller.onDirectMessage(new HeldRids(0, 50, onRank.toArray(String[]::new)), h.nowNs);
                } else if (asked instanceof AbortReq abort) {
                    onRank.remove(abort.rid());
                }
            }
        }
    }

    private void beat() {
        long hash = 0;
        for (String rid : onRank) {
            hash ^= WireRid.hash64(rid);
        }
        h.controller.onDirectMessage(new Heartbeat(0, 50, input(0, 50), 1, onRank.size(), hash, null), h.nowNs);
    }

    @Test
    void shouldNotAskWhileBothAgree() {
        onRank.add(h.request(0, "a"));
        live(10_000);
        assertThat(questions).isZero();
    }

    @Test
    void shouldReportWhatTheRankLost() {
        onRank.add(h.request(0, "held"));
        String lost = h.request(0, "lost");
        live(7_000);
        assertThat(questions).isPositive();
        assertThat(h.out.takeWorker(0, LostRids.class))
                .as("its end may be on the way")
                .isEmpty();
        live(3_000);
        List<LostRids> told = h.out.takeWorker(0, LostRids.class);
        assertThat(told).singleElement().satisfies(l -> assertThat(l.rids()).containsExactly(lost));
        assertThat(h.controller.rids().contains(lost)).isFalse();
        assertThat(h.controller.rids().contains(onRank.get(0))).isTrue();
        assertThat(h.count(Count.LOST_WITHOUT_END)).isEqualTo(1);
        int before = questions;
        live(5_000);
        assertThat(questions).as("they agree again").isEqualTo(before);
    }

    @Test
    void shouldNotBeCalmedByABeatOfASupersededIncarnation() {
        h.request(0, "lost");
        for (int i = 0; i <= 10; i++) {
            h.pass(100);
            h.controller.onDirectMessage(Harness.beat(0, 49), h.nowNs);
            h.pass(100);
            beat();
        }
        assertThat(h.out.takeRank(0)).filteredOn(HeldRids.class::isInstance).hasSize(1);
    }

    @Test
    void shouldAbortWhatTheMapDoesNotKnow() {
        String foreign = new WireRid("x", 100, 99, 0).toString();
        onRank.add(foreign);
        onRank.add(h.request(0, "known"));
        live(10_000);
        assertThat(onRank).hasSize(1).doesNotContain(foreign);
        assertThat(h.count(Count.UNKNOWN_ON_RANK)).isEqualTo(1);
        assertThat(h.count(Count.LOST_WITHOUT_END)).isZero();
    }

    @Test
    void shouldLeaveTheRequestsOfLegacyStreamsAlone() {
        onRank.add("some rid of SGLang's");
        live(10_000);
        assertThat(onRank).hasSize(1);
    }

    @Test
    void shouldNotMindTrafficThatNeverAgrees() {
        String before = h.request(0, "first");
        for (int i = 0; i < 100; i++) {
            // One request is on its way to the rank, and the abort of the one before.
            String rid = h.request(0, "r" + i);
            h.end(0, before);
            onRank.clear();
            onRank.add(before);
            live(200);
            before = rid;
        }
        assertThat(questions).isPositive();
        assertThat(h.count(Count.LOST_WITHOUT_END)).isZero();
        assertThat(h.count(Count.UNKNOWN_ON_RANK)).isZero();
        assertThat(h.count(Count.UNKNOWN_ENDS)).isZero();
    }
}
