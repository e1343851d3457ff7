package dpserve.bench.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.entry;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import org.junit.jupiter.api.Test;

class ServerInfoTest {
    @Test
    void shouldNameEachProcessAndSumOverAll() throws JsonProcessingException {
        String text = "{'processes': [{'role': 'scheduler', 'index': 0, 'pid': 7, 'counters': {'decode_steps': 3}},"
                + "{'role': 'scheduler', 'index': 1, 'pid': 8, 'counters': {'decode_steps': 4}},"
                + "{'role': 'controller', 'index': 0, 'pid': 9, 'counters': {}}]}";
        JsonNode info = new ObjectMapper().readTree(text.replace('\'', '"'));

        assertThat(ServerInfo.pids(info))
                .containsOnly(entry("scheduler 0", 7L), entry("scheduler 1", 8L), entry("controller 0", 9L));
        assertThat(ServerInfo.counter(info, "decode_steps")).isEqualTo(7);
    }
}
