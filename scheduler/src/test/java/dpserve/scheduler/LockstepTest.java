package dpserve.scheduler;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dpserve.io.message.RankDown;
import dpserve.io.message.RankUp;
import dpserve.io.message.StepDone;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class LockstepTest {
    private static final long MS = 1_000_000;

    /** Words on their way, each with its receiver; taken in any order that keeps a pair's own. */
    private final List<Deque<StepDone>> wires = new ArrayList<>();

    private final List<Lockstep> ranks = new ArrayList<>();
    private double loss;
    private Random random = new Random(1);

    private static RankUp up(int rank, long incarnation) {
        return new RankUp(rank, incarnation, "tcp://127.0.0.1:1", Map.of(), "tcp://127.0.0.1:2");
    }

    private void group(int size) {
        for (int r = 0; r < size; r++) {
            add();
        }
    }

    private Lockstep add() {
        int r = ranks.size();
        wires.add(new ArrayDeque<>());
        Lockstep rank = new Lockstep(r, 10 + r, (to, word) -> {
            if (random.nextDouble() >= loss) {
                wires.get(to).add(word);
            }
        });
        ranks.add(rank);
        for (int other = 0; other < r; other++) {
            ranks.get(other).onRankUp(up(r, 10 + r));
            rank.onRankUp(up(other, 10 + other));
        }
        return rank;
    }

    private void deliver() {
        for (boolean any = true; any; ) {
            any = false;
            for (int r = 0; r < ranks.size(); r++) {
                StepDone word = wires.get(r).poll();
                if (word != null) {
                    ranks.get(r).onStepDone(word);
                    any = true;
                }
            }
        }
    }

    @Test
    void shouldLastAsLongAsTheSlowestAndCallTheIdle() {
        group(3);
        assertThat(ranks).noneMatch(Lockstep::isCalled);
        ranks.get(0).begin(5 * MS, 0);
        deliver();
        assertThat(ranks.get(0).isComplete()).isFalse();
        assertThat(ranks.get(1).isCalled()).isTrue();
        ranks.get(1).begin(9 * MS, 0);
        ranks.get(2).begin(0, 0);
        deliver();
        for (Lockstep rank : ranks) {
            assertThat(rank.isComplete()).isTrue();
            assertThat(rank.finish()).isEqualTo(9 * MS);
            assertThat(rank.isCalled()).isFalse();
        }
        assertThat(ranks.get(0).idleS()).isCloseTo(0.004, within(1e-9));
        assertThat(ranks.get(2).totalS()).isEqualTo(0.009);
    }

    @Test
    void shouldKnowTheLengthOfAPartWhoseRankIsAStepAhead() {
        group(3);
        ranks.get(0).begin(5 * MS, 0);
        ranks.get(1).begin(9 * MS, 0);
        ranks.get(2).begin(1 * MS, 0);
        for (StepDone word = wires.get(1).poll();
                word != null;
                word = wires.get(1).poll()) {
            ranks.get(1).onStepDone(word);
        }
        assertThat(ranks.get(1).finish()).isEqualTo(9 * MS);
        ranks.get(1).begin(2 * MS, 0);
        deliver();
        assertThat(ranks.get(0).finish()).isEqualTo(9 * MS);
        assertThat(ranks.get(0).isCalled()).isTrue();
    }

    @Test
    void shouldReleaseWhoWaitsForADeadRank() {
        group(3);
        ranks.get(0).begin(5 * MS, 0);
        ranks.get(1).begin(6 * MS, 0);
        deliver();
        assertThat(ranks.get(0).isComplete()).isFalse();
        ranks.get(0).onRankDown(new RankDown(2, 12, "killed", new String[0]));
        assertThat(ranks.get(0).isComplete()).isTrue();
        assertThat(ranks.get(0).finish()).isEqualTo(6 * MS);
    }

    @Test
    void shouldIgnoreAGhost() {
        group(2);
        ranks.get(0).onRankUp(up(1, 50));
        ranks.get(0).begin(5 * MS, 0);
        ranks.get(0).onStepDone(new StepDone(1, 11, 0, 1));
        assertThat(ranks.get(0).isComplete()).isFalse();
        ranks.get(0).onRankDown(new RankDown(1, 11, "old", new String[0]));
        assertThat(ranks.get(0).peers()).isEqualTo(1);
        ranks.get(0).onStepDone(new StepDone(1, 50, 0, 0.001));
        assertThat(ranks.get(0).isComplete()).isTrue();
    }

    @Test
    void shouldTakeANewRankIntoTheStepThatTheOthersAreAt() {
        group(2);
        for (int i = 0; i < 7; i++) {
            step(0);
        }
        ranks.get(0).begin(5 * MS, 0);
        Lockstep late = add();
        ranks.get(1).begin(4 * MS, 0);
        deliver();
        assertThat(ranks.get(0).isComplete()).isFalse();
        assertThat(late.isCalled()).isTrue();
        late.begin(8 * MS, 0);
        deliver();
        assertThat(ranks).allMatch(Lockstep::isComplete).allMatch(rank -> rank.finish() == 8 * MS);
    }

    @Test
    void shouldWakeIdleRanksForANewcomerThatCountsFromZero() {
        group(2);
        for (int i = 0; i < 7; i++) {
            step(0);
        }
        Lockstep late = add();
        for (int i = 0; i < 4; i++) {
            late.begin(5 * MS, 0);
            settle();
            assertThat(late.isComplete()).isTrue();
            late.finish();
        }
        assertThat(ranks.get(0).steps()).isGreaterThan(7);
        assertThat(ranks).noneMatch(Lockstep::isCalled);
    }

    /** Everyone called takes part, until nothing is left to say. */
    private void settle() {
        for (boolean any = true; any; ) {
            deliver();
            any = false;
            for (Lockstep rank : ranks.subList(0, ranks.size() - 1)) {
                if (rank.isCalled()) {
                    rank.begin(0, 0);
                    any = true;
                }
            }
            deliver();
            for (Lockstep rank : ranks.subList(0, ranks.size() - 1)) {
                if (any && rank.isComplete()) {
                    rank.finish();
                }
            }
        }
    }

    private void step(long nowNs) {
        ranks.forEach(rank -> rank.begin(MS, nowNs));
        deliver();
        ranks.forEach(Lockstep::finish);
    }

    /** Ranks with random work over a lossy wire: all do all their work, and all fall silent afterwards. */
    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
    void shouldNeitherBlockNorRunOnWhateverIsLost(long seed) {
        random = new Random(seed);
        loss = random.nextDouble() * 0.4;
        group(2 + random.nextInt(6));
        int[] work = new int[ranks.size()];
        boolean[] waiting = new boolean[ranks.size()];
        for (int r = 0; r < work.length; r++) {
            work[r] = random.nextInt(40);
        }
        int quiet = 0;
        for (long nowNs = 0; quiet < 200; nowNs += MS) {
            assertThat(nowNs).as("no end of it, seed %d", seed).isLessThan(200_000 * MS);
            int r = random.nextInt(work.length);
            Lockstep rank = ranks.get(r);
            boolean heard = !wires.get(r).isEmpty();
            for (StepDone word = wires.get(r).poll();
                    word != null;
                    word = wires.get(r).poll()) {
                rank.onStepDone(word);
            }
            if (waiting[r]) {
                rank.onTick(nowNs);
                if (rank.isComplete()) {
                    rank.finish();
                    waiting[r] = false;
                }
            } else if (work[r] > 0 || rank.isCalled()) {
                rank.begin(work[r] > 0 ? MS : 0, nowNs);
                work[r] = Math.max(0, work[r] - 1);
                waiting[r] = true;
            }
            boolean busy = heard || waiting[r] || work[r] > 0;
            quiet = busy ? 0 : quiet + 1;
        }
        assertThat(work).containsOnly(0);
        assertThat(waiting).containsOnly(false);
    }
}
