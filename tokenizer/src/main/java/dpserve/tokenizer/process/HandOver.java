package dpserve.tokenizer.process;

import java.util.ArrayDeque;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * From the thread that reads to the event loop that deals with it, in order. While too much is pending the reader waits, and with it
 * its socket and the peers behind. However much comes, the loop looks at its connections in between: Netty by itself runs
 * tasks for up to a second before it does (io.netty.eventLoop.maxTaskProcessingQuantumMs), and then accepts 16 connections.
 */
final class HandOver implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(HandOver.class);

    /**
     * Decoded, the outputs of a full batch take about 120 kB: 120 MB of a heap of 1 GiB. A loop that keeps up has a
     * few of them before it, so nobody waits for a wake-up.
     */
    static final int MAX_PENDING = 1000;

    /**
     * Longest time from one look at the connections to the end of the work before the next; then output is written and requests are read, so that
     * under overload first tokens do not wait for everything else. Measured with 1,000 streams: 20 ms instead of 5 gives a tenth to a fifth more tokens a second and a third fewer events.
     */
    static final long MAX_STRETCH_NS = 5_000_000;

    /** How often a reader that waits looks whether the process is ending. */
    private static final long LOOK_MS = 100;

    private final Executor loop;
    private final Executor afterIo;
    private final LongSupplier clock;
    private final int most;
    private final Object lock = new Object();
    private final ArrayDeque<Runnable> pending = new ArrayDeque<>();
    private boolean scheduled;

    /** When the loop last looked at its connections, as far as is known here. On the loop alone. */
    private long lookedNs;

    private boolean readerWaits;
    private boolean closing;

    /**
     * @param loop runs what it is given on the loop's thread, soon
     * @param afterIo the same, but not before the loop has looked at its connections
     * @param clock monotonic nanoseconds
     * @param most tasks that may be pending; a reader that had to wait goes on when half of them are done
     */
    HandOver(Executor loop, Executor afterIo, LongSupplier clock, int most) {
        this.loop = loop;
        this.afterIo = afterIo;
        this.clock = clock;
        this.lookedNs = clock.getAsLong();
        this.most = most;
    }

    /**
     * Gives a task to the loop; waits while there is no room. Never on the loop's own thread. A task that fails costs itself only.
     *
     * @throws RejectedExecutionException if the loop has ended
     */
    void add(Runnable task) {
        synchronized (lock) {
            awaitRoom();
            pending.add(task);
            if (scheduled) {
                return;
            }
            scheduled = true;
        }
        try {
            loop.execute(this::work);
        } catch (RejectedExecutionException e) {
            synchronized (lock) {
                scheduled = false;
                pending.clear();
            }
            throw e;
        }
    }

    /** Comes back without room if the process is ending, or the thread is to: that reader has this one task left. */
    private void awaitRoom() {
        readerWaits = pending.size() >= most;
        try {
            while (readerWaits && !closing) {
                lock.wait(LOOK_MS);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        readerWaits = false;
    }

    /**
     * Called by the reader, perhaps again and again before the loop has looked at its connections: writing output takes longer than what is
     * done here, and meanwhile the next message comes.
     */
    private void work() {
        if (isLookDue()) {
            afterIo.execute(this::workAfterIo);
        } else {
            workUntilLook();
        }
    }

    private void workAfterIo() {
        lookedNs = clock.getAsLong();
        workUntilLook();
    }

    private void workUntilLook() {
        for (Runnable task = next(); task != null; task = next()) {
            run(task);
            if (isLookDue()) {
                afterIo.execute(this::workAfterIo);
                return;
            }
        }
    }

    private boolean isLookDue() {
        return clock.getAsLong() - lookedNs >= MAX_STRETCH_NS;
    }

    private static void run(Runnable task) {
        try {
            task.run();
        } catch (Throwable e) { // an Error too: a class that cannot be loaded must not end the work for good
            LOG.error("a message could not be dealt with", e);
        }
    }

    /** Null if there is none, and then the next that comes has to call the loop. */
    private Runnable next() {
        synchronized (lock) {
            Runnable task = pending.poll();
            scheduled = task != null;
            if (readerWaits && pending.size() <= most / 2) { // not for every task: waking costs more than most of them
                readerWaits = false;
                lock.notifyAll();
            }
            return task;
        }
    }

    /** What is left, however long it takes: on the loop, once the reader has ended and before what the tasks use is closed. */
    void finish() {
        for (Runnable task = next(); task != null; task = next()) {
            run(task);
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
