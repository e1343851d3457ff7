package dpserve.bench.sim;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dpserve.bench.dataset.DatasetRow;
import dpserve.bench.dataset.Prompt;
import dpserve.bench.dataset.Seeds;
import dpserve.bench.dataset.TokenRun;
import dpserve.bench.load.Arrivals;
import dpserve.controller.policy.Policies;
import dpserve.io.LoadReport;
import dpserve.io.SimulatedModel;
import dpserve.scheduler.EngineProfile;
import java.io.StringWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class SimulationTest {
    private static final int[] WORDS = SimulatedModel.create().tokenIds();
    private static final int REQUESTS = 300;

    private static SimOptions options(String... flags) {
        return SimOptions.parse(flags);
    }

    /** Outputs of very different lengths, so that a careless policy becomes uneven. */
    private static List<DatasetRow> rows(long seed) {
        Random random = Seeds.random(seed, 1);
        List<DatasetRow> rows = new ArrayList<>();
        for (int i = 0; i < REQUESTS; i++) {
            int length = 20 + random.nextInt(200);
            int output = 1 + (int) Math.min(400, Math.exp(random.nextGaussian() * 1.2 + 3.5));
            rows.add(new DatasetRow(new Prompt.Tokens(new TokenRun.Words(i, length)), length, output));
        }
        return rows;
    }

    private static int[] ids(DatasetRow row) {
        int[] ids = new int[row.promptLen()];
        Random random = Seeds.random(
                ((TokenRun.Words) ((Prompt.Tokens) row.prompt()).runs().get(0)).seed(), 2);
        for (int i = 0; i < ids.length; i++) {
            ids[i] = WORDS[random.nextInt(WORDS.length)];
        }
        return ids;
    }

    private static SimResult run(long seed, int concurrency, StringWriter text, SimOptions options) {
        List<DatasetRow> rows = rows(seed);
        return new Simulation(
                        options,
                        EngineProfile.defaultProfile(),
                        rows,
                        SimulationTest::ids,
                        Arrivals.poisson(rows.size(), 50, seed),
                        concurrency,
                        seed,
                        new EventLog(text))
                .run();
    }

    static Stream<String> methods() {
        // The one method that needs a bootstrap room takes no ordinary workload.
        return Policies.names().stream().filter(name -> !name.equals("follow_bootstrap_room"));
    }

    @ParameterizedTest
    @MethodSource("methods")
    void shouldKeepEveryPromiseUnderEveryPolicy(String method) {
        SimResult result = run(
                3,
                60,
                null,
                options(
                        "--load-balance-method",
                        method,
                        "--report-delay-ms",
                        "300",
                        "--report-jitter-ms",
                        "200",
                        "--report-drop",
                        "0.2",
                        "--tokenizer-worker-num",
                        "2"));
        assertThat(result.broken()).isEmpty();
        assertThat(result.completed()).isEqualTo(REQUESTS);
    }

    @ParameterizedTest
    @EnumSource(LoadReport.class)
    void shouldKeepEveryPromiseOnEveryLoadPath(LoadReport path) {
        SimResult result =
                run(4, 60, null, options("--load-balance-method", "total_requests", "--load-report", path.name()));
        assertThat(result.broken()).isEmpty();
        assertThat(result.completed()).isEqualTo(REQUESTS);
    }

    @Test
    void shouldWriteTheSameEventLogForTheSameSeed() {
        String[] flags = {
            "--load-balance-method",
            "power_of_two",
            "--report-delay-ms",
            "50",
            "--report-jitter-ms",
            "30",
            "--kill-rank-at-s",
            "2"
        };
        StringWriter first = new StringWriter();
        StringWriter second = new StringWriter();
        SimResult a = run(5, 60, first, options(flags));
        SimResult b = run(5, 60, second, options(flags));
        SimResult c = run(6, 60, null, options(flags));
        assertThat(first.toString()).isEqualTo(second.toString()).contains("rank_killed");
        assertThat(a.hash()).isEqualTo(b.hash()).isNotEqualTo(c.hash());
        assertThat(first.toString().lines().count()).isEqualTo(a.events());
    }

    @Test
    void shouldNeverPutMoreOnARankThanItsShareHoweverLateTheReports() {
        for (String delay : List.of("0", "50", "500", "2000")) {
            SimResult exact =
                    run(7, 60, null, options("--load-balance-method", "least_requests", "--report-delay-ms", delay));
            assertThat(exact.imbalance().mostHeld()).as(delay).isEqualTo(15);
        }
        SimResult late =
                run(7, 60, null, options("--load-balance-method", "total_requests", "--report-delay-ms", "500"));
        assertThat(late.imbalance().mostHeld()).isGreaterThan(15);
    }

    @ParameterizedTest
    @ValueSource(strings = {"--tokenizer-worker-num=1", "--tokenizer-worker-num=3", "--enable-dp-attention"})
    void shouldFinishTheRequestsOfARankThatDiesElsewhere(String topology) {
        SimResult result = run(8, 60, null, options(topology, "--kill-rank-at-s", "2", "--kill-rank", "1"));
        assertThat(result.broken()).isEmpty();
        assertThat(result.completed()).isEqualTo(REQUESTS);
        // What it held, and what was sent to it until its heartbeats were missed.
        assertThat(result.resumed()).isBetween(1, 60);
    }

    @Test
    void shouldLoseOnlyTheRequestsOfTheRankThatDiesWhenTheyAreNotToGoOn() {
        SimResult result =
                run(8, 60, null, options("--on-rank-failure", "fail", "--kill-rank-at-s", "2", "--kill-rank", "1"));
        assertThat(result.broken()).isEmpty();
        assertThat(result.resumed()).isZero();
        assertThat(result.failed()).isBetween(1, 60);
        assertThat(result.completed() + result.failed()).isEqualTo(REQUESTS);
    }

    @Test
    void shouldShareOutputAmongDetokenizers() {
        SimResult one = run(11, 60, null, options("--detokenizer-us", "2000"));
        SimResult four = run(11, 60, null, options("--detokenizer-us", "2000", "--detokenizer-worker-num", "4"));
        assertThat(one.broken()).isEmpty();
        assertThat(four.broken()).isEmpty();
        assertThat(four.completed()).isEqualTo(REQUESTS);
        assertThat(four.ttftMs().mean()).isLessThan(0.8 * one.ttftMs().mean());
    }

    @Test
    void shouldLetLockstepRanksWaitForTheSlowest() {
        SimResult together = run(9, 60, null, options("--load-balance-method", "random", "--enable-dp-attention"));
        SimResult apart = run(9, 60, null, options("--load-balance-method", "random"));
        assertThat(together.broken()).isEmpty();
        assertThat(together.imbalance().barrierIdle()).isPositive();
        assertThat(apart.imbalance().barrierIdle()).isZero();
        assertThat(together.outputThroughput()).isLessThan(apart.outputThroughput());
    }

    @Test
    void shouldCountRequestsThatCannotFitAsFailed() {
        SimResult result = run(10, 60, null, options("--context-length", "100"));
        assertThat(result.broken()).isEmpty();
        assertThat(result.failed()).isPositive();
    }

    @Test
    void shouldNameTheFlagThatIsWrong() {
        assertThatThrownBy(() -> options("--dp-size", "0").validate()).hasMessageContaining("--dp-size");
        assertThatThrownBy(() -> options("--report-drop", "2").validate()).hasMessageContaining("--report-drop");
        assertThatThrownBy(() -> options("--kill-rank", "9").validate()).hasMessageContaining("--kill-rank");
    }

    @Test
    void shouldRunEventsByTimeAndThenInTheirOrder() {
        EventQueue queue = new EventQueue();
        StringBuilder seen = new StringBuilder();
        Random random = new Random(1);
        List<long[]> planned = new ArrayList<>();
        for (int i = 0; i < 5000; i++) {
            long time = random.nextInt(100);
            planned.add(new long[] {time, i});
            int number = i;
            queue.at(
                    time,
                    () -> seen.append(queue.nowNs()).append(':').append(number).append(' '));
        }
        planned.sort((a, b) -> a[0] != b[0] ? Long.compare(a[0], b[0]) : Long.compare(a[1], b[1]));
        StringBuilder expected = new StringBuilder();
        planned.forEach(p -> expected.append(p[0]).append(':').append(p[1]).append(' '));
        while (queue.runNext()) {
            // runs everything
        }
        assertThat(seen.toString()).isEqualTo(expected.toString());
        assertThatThrownBy(() -> queue.at(5, () -> {})).isInstanceOf(IllegalArgumentException.class);
    }
}
