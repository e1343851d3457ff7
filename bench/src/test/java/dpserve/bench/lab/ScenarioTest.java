package dpserve.bench.lab;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class ScenarioTest {
    private static final long SEED = 1;

    static List<Scenario> scenarios() {
        return Scenario.all();
    }

    @ParameterizedTest
    @MethodSource("scenarios")
    void shouldShowTheFailureAndWithstandIt(Scenario scenario) {
        Scenario.Outcome o = scenario.run(SEED);

        assertThat(scenario.shownBy().applyAsDouble(o.faulty()))
                .as("the fault, against the same design without it")
                .isGreaterThan(scenario.shownBy().applyAsDouble(o.healthy()));
        assertThat(o.faulty().imbalance().mostAboveEven())
                .isGreaterThan(o.ours().imbalance().mostAboveEven());
        assertThat(o.ours().imbalance().mostAboveEven()).isLessThanOrEqualTo(scenario.allowedAboveEven());
        assertThat(o.ours().broken()).isEmpty();
        assertThat(o.faulty().broken()).isEmpty();
    }

    @Test
    void shouldNumberTheTenFailures() {
        assertThat(Scenario.all()).extracting(Scenario::number).containsExactly(1, 2, 3, 4, 5, 6, 7, 8, 9, 10);
    }

    @Test
    void shouldGiveTheSameTableForTheSameSeed() {
        Scenario s = Scenario.all().get(6);

        assertThat(s.table(s.run(2), 2)).isEqualTo(s.table(s.run(2), 2)).contains("least_requests", "most above even");
    }
}
