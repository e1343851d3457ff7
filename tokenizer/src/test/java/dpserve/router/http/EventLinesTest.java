package dpserve.router.http;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class EventLinesTest {
    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 7, 1000})
    void shouldCutEventsWhereverThePiecesEnd(int size) {
        byte[] body = "data: {\"a\": \"\u00e4\"}\r\n\r\n: comment\n\ndata:[DONE]\n\ndata: unfinished"
                .getBytes(StandardCharsets.UTF_8);
        EventLines lines = new EventLines();
        List<String> data = new ArrayList<>();
        for (int from = 0; from < body.length; from += size) {
            byte[] piece = Arrays.copyOfRange(body, from, Math.min(body.length, from + size));
            lines.take(piece).forEach(d -> data.add(new String(d, StandardCharsets.UTF_8)));
        }
        assertThat(data).containsExactly("{\"a\": \"\u00e4\"}", "[DONE]");
    }
}
