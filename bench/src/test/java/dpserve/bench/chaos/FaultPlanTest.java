package dpserve.bench.chaos;

import static org.assertj.core.api.Assertions.assertThat;

import dpserve.bench.chaos.Fault.Action;
import dpserve.bench.chaos.Fault.Phase;
import dpserve.bench.chaos.Fault.Role;
import dpserve.bench.chaos.FaultPlan.Shape;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class FaultPlanTest {
    private static final Shape SHAPE = new Shape(4, 4, 2);
    private static final int MANY = 500;

    @Test
    void shouldMakeTheSamePlanFromTheSameSeed() {
        assertThat(faults(7, 1, 3, MANY)).isEqualTo(faults(7, 1, 3, MANY)).isNotEqualTo(faults(8, 1, 3, MANY));
    }

    @Test
    void shouldReachEveryRowInOneDeal() {
        int cards = FaultPlan.rows().size();

        assertThat(FaultPlan.rows()).doesNotHaveDuplicates();
        assertThat(faults(3, 0, 1, cards)).extracting(Fault::row).containsExactlyInAnyOrderElementsOf(FaultPlan.rows());
    }

    @Test
    void shouldShareTheRowsAmongSeveralTopologies() {
        int of = 5;
        int each = (FaultPlan.rows().size() + of - 1) / of;
        Set<String> met = new HashSet<>();
        for (int number = 0; number < of; number++) {
            faults(11, number, of, each).forEach(fault -> met.add(fault.row()));
        }

        assertThat(met).containsExactlyInAnyOrderElementsOf(FaultPlan.rows());
    }

    @Test
    void shouldMeetEveryRoleInEveryPhaseByKillStopSlownessAndCorruption() {
        Set<String> met = new HashSet<>();
        faults(1, 0, 1, 4 * MANY)
                .forEach(f -> met.add(
                        f.action() + " " + (f.first() == null ? "" : f.first().role()) + " " + f.phase()));

        for (Action action : List.of(Action.KILL, Action.STOP, Action.SLOW, Action.CORRUPT)) {
            for (Role role : Role.values()) {
                for (Phase phase : Phase.values()) {
                    assertThat(met).contains(action + " " + role + " " + phase);
                }
            }
        }
    }

    @Test
    void shouldNameOnlyProcessesThatThereAre() {
        for (Fault fault : faults(5, 2, 3, MANY)) {
            Stream.of(fault.first(), fault.second())
                    .filter(t -> t != null)
                    .forEach(t -> assertThat(t.index()).isBetween(0, SHAPE.count(t.role()) - 1));
            assertThat(fault.second()).isNotEqualTo(fault.first() == null ? "nobody" : fault.first());
        }
    }

    @Test
    void shouldStopARankForExactlyTenSeconds() {
        assertThat(faults(9, 0, 1, MANY))
                .filteredOn(f -> f.action() == Action.STOP && f.ms() >= FaultPlan.LONG_STOP_MS)
                .isNotEmpty()
                .allMatch(f -> f.ms() == 10_000 && f.first().role() == Role.RANK);
    }

    @Test
    void shouldChangeRanksAndReportsUnderLoadOnly() {
        assertThat(faults(4, 0, 1, MANY))
                .filteredOn(f -> f.first() == null || f.action().changesRanks())
                .isNotEmpty()
                .allMatch(f -> f.phase() == Phase.LOAD);
    }

    private static List<Fault> faults(long seed, int number, int of, int count) {
        FaultPlan plan = new FaultPlan(seed, SHAPE, number, of);
        return Stream.generate(plan::next).limit(count).toList();
    }
}
