package dpserve.bench.process;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.IntConsumer;
import org.junit.jupiter.api.Test;

class ProgressLinesTest {

    @Test
    void shouldPrintALineNowAndThenAndOneAtTheEnd() {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        AtomicLong nowNs = new AtomicLong();
        IntConsumer progress =
                new ProgressDisplay.Lines(new PrintStream(out, true, StandardCharsets.UTF_8), nowNs::get).start(40);

        for (int done = 1; done <= 40; done++) {
            nowNs.addAndGet(500_000_000L);
            progress.accept(done);
        }

        assertThat(out.toString(StandardCharsets.UTF_8).lines())
                .containsExactly(
                        "10/40 requests, 2.00 req/s, ETA 15 s",
                        "20/40 requests, 2.00 req/s, ETA 10 s",
                        "30/40 requests, 2.00 req/s, ETA 5 s",
                        "40/40 requests, 2.00 req/s, ETA 0 s");
    }
}
