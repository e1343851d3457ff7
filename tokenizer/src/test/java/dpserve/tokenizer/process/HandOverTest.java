package dpserve.tokenizer.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(value = 30, unit = TimeUnit.SECONDS)
class HandOverTest {
    private static final int MOST = 4;

    /** The loop's queue; the test is the loop. */
    private final BlockingQueue<Runnable> pending = new LinkedBlockingQueue<>();

    private final HandOver handOver = new HandOver(pending::add, MOST);
    private final AtomicInteger handedOver = new AtomicInteger();
    private final List<Integer> done = new ArrayList<>();

    private Thread readerOf(int tasks) {
        Thread reader = new Thread(() -> {
            for (int i = 0; i < tasks; i++) {
                int number = i;
                handOver.add(() -> done.add(number));
                handedOver.incrementAndGet();
            }
        });
        reader.start();
        return reader;
    }

    private static void until(BooleanSupplier condition) {
        while (!condition.getAsBoolean()) {
            assertThat(Thread.currentThread().isInterrupted())
                    .as("the test's time is over")
                    .isFalse();
        }
    }

    private void untilWaiting(Thread reader, int after) {
        until(() -> handedOver.get() == after && reader.getState() == Thread.State.TIMED_WAITING);
    }

    @Test
    void shouldLetTheReaderWaitFromTooMuchPendingToHalfOfIt() throws Exception {
        Thread reader = readerOf(MOST + 3);
        untilWaiting(reader, MOST);
        assertThat(pending).hasSize(MOST);
        pending.take().run();
        assertThat(handedOver).hasValue(MOST);
        pending.take().run();
        untilWaiting(reader, MOST + 2);
        assertThat(pending).hasSize(MOST);
        pending.take().run();
        pending.take().run();
        reader.join();
        pending.forEach(Runnable::run);
        assertThat(done).containsExactly(0, 1, 2, 3, 4, 5, 6);
    }

    @Test
    void shouldLetAWaitingReaderGoOnceItCloses() throws Exception {
        Thread reader = readerOf(MOST + 1);
        untilWaiting(reader, MOST);
        handOver.close();
        reader.join();
        pending.forEach(Runnable::run);
        assertThat(done).as("what was read is not lost").containsExactly(0, 1, 2, 3, 4);
    }

    @Test
    void shouldHaveRoomAgainAfterTasksThatFail() {
        for (int i = 0; i < 5 * MOST; i++) {
            handOver.add(() -> {
                throw new IllegalStateException("a defect");
            });
            assertThatThrownBy(pending.remove()::run).isInstanceOf(IllegalStateException.class);
        }
        assertThat(pending).isEmpty();
    }

    @Test
    void shouldHaveRoomAgainAfterTasksThatALoopRefuses() {
        HandOver refused = new HandOver(
                task -> {
                    throw new RejectedExecutionException("the loop has ended");
                },
                MOST);
        for (int i = 0; i < 5 * MOST; i++) {
            assertThatThrownBy(() -> refused.add(() -> {})).isInstanceOf(RejectedExecutionException.class);
        }
    }
}
