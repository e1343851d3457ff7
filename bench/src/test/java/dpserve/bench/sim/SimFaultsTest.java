package dpserve.bench.sim;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dpserve.bench.dataset.DatasetRow;
import dpserve.bench.dataset.Prompt;
import dpserve.bench.dataset.Seeds;
import dpserve.bench.dataset.TokenRun;
import dpserve.bench.load.Arrivals;
import dpserve.io.SimulatedModel;
import dpserve.scheduler.EngineProfile;
import java.io.StringWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Faults in virtual time: the promises are kept, and the same seed gives the same run to the byte. */
class SimFaultsTest {
    private static final int[] WORDS = SimulatedModel.create().tokenIds();
    private static final int REQUESTS = 150;
    private static final int SEEDS = Integer.getInteger("chaos.seeds", 60);
    private static final int CONCURRENCY = 40;

    private static SimResult run(long seed, StringWriter text, String... flags) {
        Random random = Seeds.random(seed, 1);
        List<DatasetRow> rows = new ArrayList<>();
        for (int i = 0; i < REQUESTS; i++) {
            int length = 5 + random.nextInt(60);
            rows.add(new DatasetRow(new Prompt.Tokens(new TokenRun.Words(i, length)), length, 1 + random.nextInt(120)));
        }
        return new Simulation(
                        SimOptions.parse(flags),
                        EngineProfile.defaultProfile(),
                        rows,
                        SimFaultsTest::ids,
                        Arrivals.poisson(rows.size(), 15, seed),
                        CONCURRENCY,
                        seed,
                        new EventLog(text))
                .run();
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

    @ParameterizedTest
    @ValueSource(
            strings = {
                "kill@3:1+2",
                "pause@3:1+10",
                "pause@3:1+0.3",
                "drain@3:1+3",
                "remove@3:1",
                "add@3",
                "controller@3+0.3",
                "controller@3+4"
            })
    void shouldFinishEveryRequestWhateverHappens(String fault) {
        for (String more : List.of("--tokenizer-worker-num=1", "--tokenizer-worker-num=3", "--enable-dp-attention")) {
            SimResult result = run(1, null, "--fault", fault, more);

            assertThat(result.broken()).as("%s %s", fault, more).isEmpty();
            assertThat(result.completed()).as("%s %s", fault, more).isEqualTo(REQUESTS);
        }
    }

    @Test
    void shouldGoOnElsewhereAndDropWhatAGhostSays() {
        StringWriter log = new StringWriter();
        SimResult result = run(2, log, "--fault", "pause@3:1+10");

        assertThat(log.toString()).contains("rank_paused", "rank_resumed");
        assertThat(result.resumed()).isPositive();
        assertThat(result.completed()).isEqualTo(REQUESTS);
    }

    @Test
    void shouldLoseNothingWithTheControllerThatTheRanksHold() {
        SimResult result = run(3, null, "--fault", "controller@3+0.3");

        // Only what was on its way when it died, and the ranks hold far more.
        assertThat(result.resumed()).isBetween(0, 5);
        assertThat(result.completed()).isEqualTo(REQUESTS);
    }

    @Test
    void shouldRepairWhatGetsLostBetweenControllerAndRanks() {
        StringWriter log = new StringWriter();
        SimResult result = run(4, log, "--message-loss", "0.05");

        assertThat(log.toString()).contains("message_lost");
        assertThat(result.broken()).isEmpty();
        assertThat(result.resumed()).isPositive();
        assertThat(result.completed()).isEqualTo(REQUESTS);
    }

    @Test
    void shouldGoTheSameWayFromTheSameSeed() {
        String[] flags = {"--chaos", "6", "--message-loss", "0.02", "--tokenizer-worker-num", "2"};
        StringWriter first = new StringWriter();
        StringWriter second = new StringWriter();
        SimResult a = run(5, first, flags);
        SimResult b = run(5, second, flags);

        assertThat(first.toString()).isEqualTo(second.toString());
        assertThat(a.hash())
                .isEqualTo(b.hash())
                .isNotEqualTo(run(6, null, flags).hash());
    }

    @Test
    void shouldKeepEveryPromiseUnderFaultsOfManySeeds() {
        int failed = 0;
        int resumed = 0;
        for (int seed = 0; seed < SEEDS; seed++) {
            List<String> flags = new ArrayList<>(List.of("--chaos", Integer.toString(1 + seed % 7)));
            flags.add(seed % 2 == 0 ? "--message-loss=0" : "--message-loss=0.03");
            flags.add(seed % 3 == 0 ? "--tokenizer-worker-num=3" : "--tokenizer-worker-num=1");
            if (seed % 5 == 0) {
                flags.add("--enable-dp-attention");
            }
            SimResult result;
            try {
                result = run(seed, null, flags.toArray(String[]::new));
            } catch (RuntimeException e) {
                throw new AssertionError("seed " + seed + " " + flags, e);
            }
            assertThat(result.broken()).as("seed %d %s", seed, flags).isEmpty();
            assertThat(result.completed() + result.failed()).isEqualTo(REQUESTS);
            failed += result.failed();
            resumed += result.resumed();
        }
        assertThat(resumed).isGreaterThan(SEEDS);
        // A request that three ranks died with may be what kills them; and there may be no rank for 5 s.
        assertThat(failed).isLessThan(SEEDS * REQUESTS / 20);
    }

    @Test
    void shouldReadFaults() {
        assertThat(SimFault.parse("pause@2.5:3+10")).isEqualTo(new SimFault(SimFault.Kind.PAUSE, 2.5, 3, 10));
        assertThat(SimFault.parse("controller@7")).isEqualTo(new SimFault(SimFault.Kind.CONTROLLER, 7, -1, 1));
        for (String wrong : List.of("", "kill@2", "kill:1", "add@1:2", "melt@1:1", "kill@x:1")) {
            assertThatThrownBy(() -> SimFault.parse(wrong)).hasMessageContaining("--fault");
        }
        assertThatThrownBy(() -> SimOptions.parse("--fault", "kill@1:4").validate())
                .hasMessageContaining("--dp-size");
        assertThatThrownBy(() -> SimOptions.parse("--message-loss", "1").validate())
                .hasMessageContaining("--message-loss");
    }
}
