package dpserve.router.http;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class SseParserTest {
    private final List<String> events = new ArrayList<>();
    private final SseParser parser = new SseParser();

    private void feed(ByteBuf piece) throws IOException {
        parser.feed(piece, (bytes, from, to) -> events.add(new String(bytes, from, to - from, StandardCharsets.UTF_8)));
    }

    @Test
    void shouldFindEventsHoweverTheyAreCut() throws IOException {
        String long1 = "x".repeat(10_000);
        byte[] stream = ("data: {\"a\":1}\n\n: a comment\n\ndata:é\r\n\r\nevent: x\ndata: " + long1
                        + "\n\ndata: [DONE]\n\n")
                .getBytes(StandardCharsets.UTF_8);
        for (int step : new int[] {1, 2, 3, 7, 100, stream.length}) {
            events.clear();
            for (int at = 0; at < stream.length; at += step) {
                feed(Unpooled.wrappedBuffer(stream, at, Math.min(step, stream.length - at)));
            }
            assertThat(events).containsExactly("{\"a\":1}", "é", long1, "[DONE]");
        }
    }

    @Test
    void shouldGiveNothingForAnUnfinishedLine() throws IOException {
        feed(Unpooled.copiedBuffer("data: half", StandardCharsets.UTF_8));

        assertThat(events).isEmpty();
    }
}
