package dpserve.bench.live;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.List;
import org.junit.jupiter.api.Test;

class BalanceTableTest {
    private static final int RANKS = 4;
    private final BalanceTable table = new BalanceTable(100, RANKS);

    private static BalanceTable.Run run(int workers, long seed, int inFlight, int even, int... perRank) {
        HeldPeaks peaks = new HeldPeaks(perRank, inFlight);
        return new BalanceTable.Run(workers, 50, "least_requests", seed, peaks, 40, even, 0, false);
    }

    @Test
    void shouldGiveTheWorstOfAllSeeds() {
        String row = table.row(List.of(
                run(1, 1, 100, 40, 25, 25, 24, 25),
                run(1, 2, 100, 30, 25, 31, 25, 25),
                run(1, 3, 100, 38, 26, 25, 25, 25)));

        assertThat(row)
                .startsWith("1             50  least_requests  31 (median 26)")
                .contains("2 of 3")
                .contains("all at 25 in 108 of the 120 samples with 100 held")
                .doesNotContain("transit")
                .doesNotContain("WRONG");
    }

    @Test
    void shouldPutTheNoticesInTransitBesideTheExcessOfSeveralWorkers() {
        String row = table.row(List.of(run(4, 1, 103, 40, 25, 26, 25, 25), run(4, 2, 109, 40, 25, 25, 25, 25)));

        // 109 in the map are up to 28 on a rank.
        assertThat(row).contains("excess 1, end notices in transit up to 9, which allow 3");
    }

    @Test
    void shouldNotHideRepliesThatWereWrong() {
        HeldPeaks peaks = new HeldPeaks(new int[] {25, 25, 25, 25}, 100);
        BalanceTable.Run bad = new BalanceTable.Run(1, 0, "vllm", 1, peaks, 1, 1, 3, true);

        assertThat(table.row(List.of(bad)))
                .contains("3 REPLIES WRONG OR LOST")
                .contains("1 runs limited by this machine");
    }

    @Test
    void shouldWriteAsManyCellsAsItsHeaderNames() {
        String line = BalanceTable.csv(run(4, 7, 103, 40, 25, 26, 24, 25));

        assertThat(line).isEqualTo("4,50.0,least_requests,7,26,25,26,24,25,103,40,40,0,false");
        assertThat(table.csvHeader().split(",")).hasSameSizeAs(line.split(","));
    }

    @Test
    void shouldCountOnlyMomentsInWhichEveryRankAnsweredAndAllWereHeld() throws JsonProcessingException {
        HeldSamples samples = new HeldSamples(2, 10);
        for (int[] held : new int[][] {{5, 5}, {4, 6}, {4, 5}, {10}, {6, 5}}) {
            StringBuilder loads = new StringBuilder();
            for (int h : held) {
                loads.append(loads.isEmpty() ? "" : ",")
                        .append("{\"num_running_reqs\":")
                        .append(h - 1)
                        .append(",\"num_waiting_reqs\":1}");
            }
            samples.add(new ObjectMapper().readTree("{\"loads\":[" + loads + "]}"));
        }

        assertThat(samples.full()).isEqualTo(2);
        assertThat(samples.even()).isEqualTo(1);
    }
}
