package dpserve.bench.lab;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dpserve.bench.dataset.DatasetRow;
import dpserve.bench.dataset.Prompt;
import dpserve.bench.lab.Plan.Combo;
import dpserve.bench.sim.SimResult;
import dpserve.controller.policy.Policies;
import dpserve.io.LoadReport;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LabTest {
    private static final List<Integer> DELAYS = List.of(0, 500);
    private static final List<LoadReport> PATHS = List.of(LoadReport.values());

    @TempDir
    Path folder;

    private static Workload workload(String name, int requests) throws IOException {
        return Workloads.all(Map.of()).stream()
                .filter(w -> w.name().equals(name))
                .findFirst()
                .orElseThrow()
                .withRequests(requests);
    }

    private static List<Combo> combos(String policy, List<LoadReport> paths) throws IOException {
        Workload w = workload(Workloads.CONVERSATION, 150);
        return new Plan(List.of(w), List.of(policy), paths, DELAYS, 1)
                .wanted(w, w.loads().get(1));
    }

    @Test
    void shouldFindTheKnownIntervalOfAMean() {
        Random random = new Random(5);
        double[] values = random.doubles(400).map(v -> 10 + 4 * v).toArray();

        Bootstrap.Interval interval = Bootstrap.mean(values);

        // Uniform on [10, 14]: mean 12, standard error 4 / sqrt(12 x 400) = 0.0577, so 1.96 of them either way.
        assertThat(interval.mean()).isCloseTo(Arrays.stream(values).average().orElseThrow(), within(1e-12));
        assertThat(interval.high() - interval.mean()).isCloseTo(0.113, within(0.012));
        assertThat(interval.mean() - interval.low()).isCloseTo(0.113, within(0.012));
    }

    @Test
    void shouldFindTheExactIntervalOfTwoValues() {
        // The resampled mean is 0, 1/2 or 1 with chances 1/4, 1/2, 1/4.
        Bootstrap.Interval interval = Bootstrap.mean(new double[] {0, 1});

        assertThat(interval).isEqualTo(new Bootstrap.Interval(0.5, 0, 1));
        assertThat(Bootstrap.mean(new double[] {3, 3, 3})).isEqualTo(new Bootstrap.Interval(3, 3, 3));
        assertThat(Bootstrap.mean(new double[] {7})).isEqualTo(new Bootstrap.Interval(7, 7, 7));
    }

    @Test
    void shouldPairDifferencesBySeed() {
        double[] a = {101, 205, 309};
        double[] b = {100, 204, 308};

        assertThat(Bootstrap.difference(a, b)).isEqualTo(new Bootstrap.Interval(1, 1, 1));
        assertThat(Metric.TTFT_P99.isWorse(Bootstrap.difference(a, b))).isTrue();
        assertThat(Metric.GOODPUT.isWorse(Bootstrap.difference(a, b))).isFalse();
        assertThat(Metric.GOODPUT.isWorse(Bootstrap.difference(b, a))).isTrue();
    }

    @Test
    void shouldRunOnceWhatCannotDiffer() throws IOException {
        assertThat(representatives("round_robin")).isEqualTo(1);
        // 0 ms of watch and direct may tell of an end before its notice does.
        assertThat(representatives("least_requests")).isEqualTo(3);
        assertThat(representatives("total_requests")).isEqualTo(7);
    }

    private static long representatives(String policy) throws IOException {
        return combos(policy, PATHS).stream()
                .map(Combo::representative)
                .distinct()
                .count();
    }

    @Test
    void shouldOnlyLeaveOutRunsThatAreTheSame() throws IOException {
        for (String policy : Policies.names()) {
            if (!policy.equals("follow_bootstrap_room")) {
                for (Combo combo : combos(policy, PATHS)) {
                    if (!combo.equals(combo.representative())) {
                        SimResult left = combo.run(11, 3);
                        SimResult run = combo.representative().run(11, 3);
                        assertThat(left.ttftMs()).as("%s", combo).isEqualTo(run.ttftMs());
                        assertThat(left.imbalance()).as("%s", combo).isEqualTo(run.imbalance());
                    }
                }
            }
        }
    }

    @Test
    void shouldGiveEveryPolicyTheSameRequestsForASeed() throws IOException {
        for (Workload w : Workloads.all(Map.of())) {
            assertThat(w.rows().make(50, 4))
                    .isEqualTo(w.rows().make(50, 4))
                    .isNotEqualTo(w.rows().make(50, 5));
        }
    }

    @Test
    void shouldDrawLengthsAsLongAsTheTraces() throws IOException {
        assertThat(means(Workloads.CONVERSATION)).satisfies(m -> {
            assertThat(m[0]).isCloseTo(1155, within(60.0));
            assertThat(m[1]).isCloseTo(211, within(12.0));
        });
        assertThat(means(Workloads.CODE)[0]).isCloseTo(2048, within(100.0));
        assertThat(means(Workloads.MOONCAKE)[0]).isCloseTo(15325, within(900.0));
    }

    private static double[] means(String name) throws IOException {
        List<DatasetRow> rows = workload(name, 1).rows().make(8000, 6);
        return new double[] {
            rows.stream().mapToInt(DatasetRow::promptLen).average().orElseThrow(),
            rows.stream().mapToInt(DatasetRow::outputLen).average().orElseThrow()
        };
    }

    @Test
    void shouldSharePrefixesAsMooncakeDoes() throws IOException {
        List<DatasetRow> rows = workload(Workloads.MOONCAKE, 1).rows().make(2000, 7);
        long continued = rows.stream()
                .filter(r -> ((Prompt.Tokens) r.prompt()).runs().size() > 1)
                .count();

        assertThat(continued / 2000.0).isBetween(0.15, 0.45);
    }

    @Test
    void shouldReplayAnotherStretchOfATraceForEachSeed() throws IOException {
        Path trace = folder.resolve("code.csv");
        StringBuilder text = new StringBuilder("TIMESTAMP,ContextTokens,GeneratedTokens\n");
        for (int i = 0; i < 100; i++) {
            text.append(String.format("2023-11-16 18:17:%02d.%d000000,%d,5%n", i / 10, i % 10, 100 + i));
        }
        Files.writeString(trace, text);
        Workload w = Workloads.all(Map.of(Workloads.CODE, trace.toString())).get(2);

        List<DatasetRow> rows = w.rows().make(20, 1);

        assertThat(rows).hasSize(20);
        for (int i = 1; i < rows.size(); i++) {
            assertThat(rows.get(i).promptLen()).isEqualTo(rows.get(i - 1).promptLen() + 1);
        }
        assertThat(w.rows().make(20, 2).get(0)).isNotEqualTo(rows.get(0));
    }

    @Test
    void shouldInterpolateQuantiles() {
        Quantiles q = new Quantiles(new double[] {0, 50, 100}, new double[] {10, 20, 100});

        assertThat(List.of(q.at(0), q.at(0.25), q.at(0.5), q.at(0.75), q.at(1)))
                .containsExactly(10.0, 15.0, 20.0, 60.0, 100.0);
    }

    @Test
    void shouldReportEveryRunOnceAndCompareWithTheRecommended() throws IOException {
        Workload w = workload(Workloads.CONVERSATION, 60);
        Plan plan = new Plan(
                List.of(w), List.of("least_requests", "total_requests"), List.of(LoadReport.PIGGYBACK), DELAYS, 2);
        Results results = new Results(plan, Map.of(w.name(), 10.0));
        for (Combo combo : plan.toRun()) {
            for (int seed = 0; seed < 2; seed++) {
                results.add(combo, seed, Metric.read(combo.run(10, seed), w));
            }
        }
        LabReport report = new LabReport(results, "least_requests");

        assertThat(report.csv().text().lines()).hasSize(1 + plan.toRun().size() * 2);
        assertThat(report.page("scripts/simulate.sh --lab", List.of("a & b")).html())
                .contains("Difference to least_requests", "P99 TTFT (ms) against report delay", "a &amp; b")
                .doesNotContain("NaN");
    }
}
