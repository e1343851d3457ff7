package dpserve.tokenizer.process;

import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;

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
    private final int most;
    private final Object lock = new Object();
    private int pending;
    private boolean readerWaits;
    private boolean closing;

    /** @param most tasks that may be pending; a reader that had to wait goes on when half of them are done */
    HandOver(Executor loop, int most) {
        this.loop = loop;
        this.most = most;
    }

    /**
     * Gives a task to the loop; waits while there is no room. Never on the loop's own thread.
     *
     * @throws RejectedExecutionException if the loop has ended
     */
    void add(Runnable task) {
        awaitRoom();
        try {
            loop.execute(() -> {
                try {
                    task.run();
                } finally {
                    leave();
                }
            });
        } catch (RejectedExecutionException e) {
            leave();
            throw e;
        }
    }

    /** Comes back without room if the process is ending, or the thread is to: that reader has this one task left. */
    private void awaitRoom() {
        synchronized (lock) {
            readerWaits = pending >= most;
            try {
                while (readerWaits && !closing) {
                    lock.wait(LOOK_MS);
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
            readerWaits = false;
            pending++;
        }
    }

    private void leave() {
        synchronized (lock) {
            pending--;
            if (readerWaits
                    && pending <= most / 2) { // not for every task: waking a thread costs more than most of them
                readerWaits = false;
                lock.notifyAll();
            }
        }
    }

    /** From now on nobody waits: to be called before the reader is told to end. */
    @Override
    public void close() {
        synchronized (lock) {
            closing = true;
            lock.notifyAll();
        }
    }
}
