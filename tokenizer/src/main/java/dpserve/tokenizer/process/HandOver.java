package dpserve.tokenizer.process;

import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;

/**
 * From the thread that reads to the loop that deals with it, in order. While too much is pending there, whose own queue has
 * no bound, the reader waits, and with it its socket and the peers behind.
 */
final class HandOver implements AutoCloseable {
    /**
     * Decoded, the outputs of a full batch take about 120 kB: 120 MB of a heap of 1 GiB. A loop that keeps up has a
     * few of them before it, so nobody waits for a wake-up.
     */
    static final int MAX_PENDING = 1000;

    /** How often a reader that waits looks whether the process is ending. */
    private static final long LOOK_MS = 100;

    private final Executor loop;
    private final Semaphore room;
    private volatile boolean closing;

    /** @param most tasks that may be pending */
    HandOver(Executor loop, int most) {
        this.loop = loop;
        this.room = new Semaphore(most);
    }

    /**
     * Gives a task to the loop; waits while there is no room. Never on the loop's own thread.
     *
     * @throws RejectedExecutionException if the loop has ended
     */
    void add(Runnable task) {
        boolean counted = awaitRoom();
        try {
            loop.execute(() -> {
                try {
                    task.run();
                } finally {
                    leave(counted);
                }
            });
        } catch (RejectedExecutionException e) {
            leave(counted);
            throw e;
        }
    }

    /** Returns without a place if the process is ending, or the thread is to: that reader has this one task left. */
    private boolean awaitRoom() {
        try {
            while (!closing) {
                if (room.tryAcquire(LOOK_MS, TimeUnit.MILLISECONDS)) {
                    return true;
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        return room.tryAcquire();
    }

    private void leave(boolean counted) {
        if (counted) {
            room.release();
        }
    }

    /** From now on nobody waits: to be called before the reader is told to end. */
    @Override
    public void close() {
        closing = true;
    }
}
