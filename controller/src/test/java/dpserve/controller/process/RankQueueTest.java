package dpserve.controller.process;

import static org.assertj.core.api.Assertions.assertThat;

import dpserve.io.socket.PullSocket;
import dpserve.io.socket.PushSocket;
import dpserve.io.socket.SocketLimits;
import java.nio.ByteBuffer;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.zeromq.ZContext;

/** Frames leave at the end of a turn, in order, and none is lost when the rank reads nothing for a while. */
@Timeout(30)
class RankQueueTest {
    private static final int HWM = 4;
    private static final int LOOK_MS = 10_000;

    /** A few hundred fill all buffers on the way, fewer than the queue holds. */
    private static final int FRAME_BYTES = 16 << 10;

    private final ZContext context = new ZContext();
    private final SocketLimits limits = new SocketLimits(HWM, SocketLimits.DEFAULT_MAX_FRAME_BYTES, 0);

    @AfterEach
    void close() {
        context.close();
    }

    private static byte[] frame(int number) {
        return ByteBuffer.allocate(FRAME_BYTES).putInt(number).array();
    }

    @Test
    void shouldHandOverAtTheEndOfTheTurnOnly() throws Exception {
        try (PullSocket rank = PullSocket.bind(context, "tcp://127.0.0.1:*", limits);
                RankQueue queue = new RankQueue(PushSocket.connect(context, rank.endpoint(), limits))) {
            queue.add(frame(0));
            queue.add(frame(1));
            assertThat(queue.isEmpty()).isFalse();
            assertThat(rank.receive(0)).isNull();
            queue.flush();
            assertThat(queue.isEmpty()).isTrue();
            assertThat(rank.receive(LOOK_MS)).isEqualTo(frame(0));
            assertThat(rank.receive(LOOK_MS)).isEqualTo(frame(1));
        }
    }

    @Test
    void shouldKeepInOrderWhatTheSocketDoesNotTakeAndRefuseTheRest() throws Exception {
        try (PullSocket rank = PullSocket.bind(context, "tcp://127.0.0.1:*", limits);
                RankQueue queue = new RankQueue(PushSocket.connect(context, rank.endpoint(), limits))) {
            int taken = 0;
            while (queue.add(frame(taken))) {
                taken++;
            }
            queue.flush();
            assertThat(queue.isEmpty()).as("nobody reads").isFalse();
            for (int next = 0; next < taken; next++) {
                byte[] got = null;
                long deadline = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(LOOK_MS);
                while (got == null && System.nanoTime() < deadline) {
                    queue.flush(); // as at the end of every turn
                    got = rank.receive(1);
                }
                assertThat(got).isEqualTo(frame(next));
            }
            assertThat(queue.isEmpty()).isTrue();
            assertThat(queue.isWritable()).isTrue();
        }
    }
}
