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
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(value = 30, unit = TimeUnit.SECONDS)
class HandOverTest {
    private static final int MOST = 4;

    /** The loop's queues; the test is the loop. */
    private final BlockingQueue<Runnable> loop = new LinkedBlockingQueue<>();

    private final BlockingQueue<Runnable> afterIo = new LinkedBlockingQueue<>();

    private final AtomicLong nowNs = new AtomicLong();
    private final HandOver handOver = new HandOver(loop::add, afterIo::add, nowNs::get, MOST);
    private final AtomicInteger handedOver = new AtomicInteger();
    private final List<Integer> done = new ArrayList<>();

    /** Half of what the loop may work for before it looks at its connections. */
    private void work(int number) {
        nowNs.addAndGet(HandOver.MAX_STRETCH_NS / 2);
        done.add(number);
    }

    private Thread readerOf(int tasks) {
        Thread reader = new Thread(() -> {
            for (int i = 0; i < tasks; i++) {
                int number = i;
                handOver.add(() -> work(number));
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
    void shouldLookAtItsConnectionsBetweenStretches() throws Exception {
        readerOf(MOST).join();
        assertThat(loop).as("called once, not for each").hasSize(1);
        loop.take().run();
        assertThat(done).containsExactly(0, 1);
        assertThat(loop).isEmpty();
        afterIo.take().run();
        assertThat(done).containsExactly(0, 1, 2, 3);
    }

    @Test
    void shouldLetTheReaderWaitFromTooMuchPendingToHalfOfIt() throws Exception {
        Thread reader = readerOf(MOST + 2);
        untilWaiting(reader, MOST);
        loop.take().run(); // two of four are done
        reader.join();
        afterIo.take().run();
        afterIo.take().run();
        assertThat(done).containsExactly(0, 1, 2, 3, 4, 5);
    }

    @Test
    void shouldLookAtItsConnectionsHoweverShortEachPieceOfWorkIs() throws Exception {
        readerOf(1).join();
        loop.take().run();
        nowNs.addAndGet(HandOver.MAX_STRETCH_NS / 2); // output is written
        readerOf(1).join();
        loop.take().run();
        assertThat(done).hasSize(1);
        afterIo.take().run();
        assertThat(done).hasSize(2);
    }

    @Test
    void shouldCallTheLoopAgainAfterItHadNothingMore() {
        for (int i = 0; i < 3; i++) {
            int number = i;
            handOver.add(() -> done.add(number));
            loop.remove().run();
        }
        assertThat(done).containsExactly(0, 1, 2);
        assertThat(afterIo).isEmpty();
    }

    @Test
    void shouldFinishWhatIsLeftHoweverLongItTakes() throws Exception {
        readerOf(MOST).join();
        handOver.finish();
        assertThat(done).containsExactly(0, 1, 2, 3);
    }

    @Test
    void shouldLetAWaitingReaderGoOnceItCloses() throws Exception {
        Thread reader = readerOf(MOST + 1);
        untilWaiting(reader, MOST);
        handOver.close();
        reader.join();
        loop.take().run();
        while (!afterIo.isEmpty()) {
            afterIo.take().run();
        }
        assertThat(done).as("what was read is not lost").containsExactly(0, 1, 2, 3, 4);
    }

    @Test
    void shouldGoOnAfterATaskThatFails() throws Exception {
        handOver.add(() -> {
            throw new IllegalStateException("a defect");
        });
        handOver.add(() -> {
            throw new NoClassDefFoundError("a class whose jar was replaced");
        });
        handOver.add(() -> work(1));
        loop.take().run();
        assertThat(done).containsExactly(1);
    }

    @Test
    void shouldHaveRoomAgainAfterTasksThatALoopRefuses() {
        HandOver refused = new HandOver(
                task -> {
                    throw new RejectedExecutionException("the loop has ended");
                },
                afterIo::add,
                nowNs::get,
                MOST);
        for (int i = 0; i < 5 * MOST; i++) {
            assertThatThrownBy(() -> refused.add(() -> {})).isInstanceOf(RejectedExecutionException.class);
        }
    }
}
