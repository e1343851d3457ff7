package dpserve.scheduler;

import static org.assertj.core.api.Assertions.assertThat;

import dpserve.io.message.BatchTokenIDOutput;
import dpserve.io.message.Stamps;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class StampsTest {
    private static List<double[]> stamps(TestRank rank, String rid) {
        List<double[]> found = new ArrayList<>();
        for (BatchTokenIDOutput part : rank.parts) {
            for (int i = 0; i < part.size(); i++) {
                if (part.rids()[i].equals(rid)) {
                    found.add(part.stamps() == null ? null : part.stamps()[i]);
                }
            }
        }
        return found;
    }

    @Test
    void shouldComeWithTheFirstAndTheLastOutput() {
        TestRank rank = new TestRank(new TestConfig());
        double receivedS = rank.nowNs / 1e9;
        rank.request("r", TestRank.prompt(1, 10), 5);
        rank.runUntilIdle();
        List<double[]> stamps = stamps(rank, "r");
        assertThat(stamps).hasSize(5);
        assertThat(stamps.subList(1, 4)).containsOnlyNulls();
        double[] first = stamps.get(0);
        assertThat(first[Stamps.RECEIVED]).isEqualTo(receivedS);
        assertThat(first[Stamps.FIRST_TOKEN]).isGreaterThan(first[Stamps.FIRST_SCHEDULED]);
        assertThat(first[Stamps.FINISHED]).isZero();
        double[] last = stamps.get(4);
        assertThat(last[Stamps.FIRST_TOKEN]).isEqualTo(first[Stamps.FIRST_TOKEN]);
        assertThat(last[Stamps.FINISHED]).isGreaterThan(last[Stamps.FIRST_TOKEN]);
        assertThat(last[Stamps.DETOKENIZED]).isZero();
    }

    @Test
    void shouldKeepTheFirstTimesOfARequestThatWaitsItsTurn() {
        TestConfig config = new TestConfig();
        config.maxRunningRequests = 1;
        TestRank rank = new TestRank(config);
        rank.request("a", TestRank.prompt(1, 10), 3);
        rank.request("b", TestRank.prompt(2, 10), 1);
        rank.runUntilIdle();
        double[] a = stamps(rank, "a").get(2);
        List<double[]> b = stamps(rank, "b");
        assertThat(b).as("one output is the first and the last").hasSize(1);
        assertThat(b.get(0)[Stamps.RECEIVED]).isEqualTo(a[Stamps.RECEIVED]);
        assertThat(b.get(0)[Stamps.FIRST_SCHEDULED]).isGreaterThanOrEqualTo(a[Stamps.FINISHED]);
        assertThat(b.get(0)[Stamps.FINISHED]).isEqualTo(b.get(0)[Stamps.FIRST_TOKEN]);
    }
}
