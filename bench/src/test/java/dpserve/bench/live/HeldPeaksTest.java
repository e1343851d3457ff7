package dpserve.bench.live;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import org.junit.jupiter.api.Test;

class HeldPeaksTest {
    private static JsonNode json(String text) throws JsonProcessingException {
        return new ObjectMapper().readTree(text.replace('\'', '"'));
    }

    @Test
    void shouldTakeEachRanksOwnCountAndTheControllers() throws JsonProcessingException {
        HeldPeaks peaks =
                HeldPeaks.of(json("{'processes': [{'role': 'tokenizer', 'index': 0, 'counters': {'requests': 9}},"
                        + "{'role': 'scheduler', 'index': 1, 'counters': {'peak_reqs': 31}},"
                        + "{'role': 'controller', 'index': 0, 'counters': {'peak_in_flight': 102}},"
                        + "{'role': 'scheduler', 'index': 0, 'counters': {'peak_reqs': 24}}]}"));

        assertThat(peaks.perRank()).containsExactly(24, 31);
        assertThat(peaks.most()).isEqualTo(31);
        assertThat(peaks.inFlight()).isEqualTo(102);
    }

    @Test
    void shouldNotInventPeaks() {
        assertThatThrownBy(() -> HeldPeaks.of(json("{'processes': [{'role': 'scheduler', 'counters': {}}]}")))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("peak_reqs");
        assertThatThrownBy(() -> HeldPeaks.of(null)).isInstanceOf(IllegalStateException.class);
    }
}
