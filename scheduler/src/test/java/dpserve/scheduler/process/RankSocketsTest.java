package dpserve.scheduler.process;

import static org.assertj.core.api.Assertions.assertThat;

import dpserve.io.Endpoints;
import dpserve.io.LogLimiter;
import dpserve.io.codec.IntArrayForm;
import dpserve.io.message.BatchTokenIDOutput;
import dpserve.io.message.FinishReason;
import dpserve.io.socket.Contexts;
import dpserve.io.socket.SocketLimits;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.slf4j.helpers.NOPLogger;
import org.zeromq.ZContext;

class RankSocketsTest {
    private static final String NOBODY = "tcp://127.0.0.1:1";

    private final LogLimiter limiter = new LogLimiter(NOPLogger.NOP_LOGGER);

    @Test
    void shouldKeepOnlySoMuchForADetokenizerThatDoesNotRead() {
        int more = 300;
        Endpoints endpoints = new Endpoints(List.of(NOBODY), List.of(NOBODY), List.of(NOBODY), NOBODY);
        try (ZContext context = Contexts.create();
                RankSockets sockets = new RankSockets(context, endpoints, IntArrayForm.INT32, limiter)) {
            for (int i = 0; i < SocketLimits.OUTPUT_QUEUE_MESSAGES + more; i++) {
                sockets.toDetokenizer(0, idle());
            }
        }
        assertThat(limiter.totals()).containsExactly(Map.entry("detokenizer_queue_full", (long) more));
    }

    private static BatchTokenIDOutput idle() {
        return new BatchTokenIDOutput(
                new String[0],
                new String[0],
                new FinishReason[0],
                new String[0],
                new int[0][],
                new int[0],
                new int[0][],
                new boolean[0],
                new boolean[0],
                new boolean[0],
                new int[0],
                new int[0],
                new int[0],
                new int[0],
                new int[0],
                new Integer[0],
                null);
    }
}
