package dpserve.bench.chaos;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import dpserve.bench.chaos.ChaosTable.Entry;
import java.util.List;
import org.junit.jupiter.api.Test;

class ChaosTableTest {
    private static final String ROW = "SIGKILL: rank";

    @Test
    void shouldKeepAnEntryThroughItsLine() throws JsonProcessingException {
        ObjectMapper json = new ObjectMapper();
        Entry entry = new Entry(ROW, "load", 10, 1, 2, 3, 44, 55);

        assertThat(json.readValue(json.writeValueAsString(entry), Entry.class)).isEqualTo(entry);
    }

    @Test
    void shouldAddUpARowAndTellWhatWasNotReached() {
        String table = ChaosTable.of(
                List.of(new Entry(ROW, "load", 10, 0, 2, 0, 44, 55), new Entry(ROW, "burst", 20, 1, 0, 0, 33, 77)));

        assertThat(table.lines().filter(line -> line.startsWith(ROW)))
                .singleElement()
                .asString()
                .matches(".*burst load +2 +30 +1 +2 +0 +44 +77 to 77");
        assertThat(table)
                .contains("not reached in this time: ", "SIGKILL: controller")
                .contains("not run here: ");
    }
}
