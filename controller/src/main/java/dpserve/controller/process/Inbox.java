package dpserve.controller.process;

import dpserve.io.message.GetLoadReqOutput;
import dpserve.io.message.Message;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Queue;

/**
 * Where reader threads leave what they read and the controller's thread takes it. Three lanes: messages on the
 * controller's own endpoint (hellos and heartbeats must not wait behind requests, or busy ranks would look dead),
 * reports (they must not be older than the decision they are for), and everything else, in order of arrival.
 */
final class Inbox {

    /** What one stream sent, decoded as far as needed. */
    interface StreamItem {
        /** Hands it to the controller. */
        void deliver(long nowNs);
    }

    /** An item and the bytes of its frame. */
    record Waiting(StreamItem item, int bytes) {}

    /** How often a reader that waits for room looks whether the process is ending. */
    private static final long ROOM_LOOK_MS = 100;

    private final long maxStreamBytes;

    private final Object lock = new Object();
    private final ArrayDeque<Message> direct = new ArrayDeque<>();
    private final ArrayDeque<List<GetLoadReqOutput>> reports = new ArrayDeque<>();
    private final ArrayDeque<Waiting> streams = new ArrayDeque<>();
    private long streamBytes;
    private boolean readerWaits;
    private boolean closed;
    private boolean takerWaits;

    /** @param maxStreamBytes of the third lane; a reader with more waits, and with it its socket and the peers behind */
    Inbox(long maxStreamBytes) {
        this.maxStreamBytes = maxStreamBytes;
    }

    /** From the reader of the controller's endpoint. */
    void addDirect(Message message) {
        synchronized (lock) {
            direct.add(message);
            wake();
        }
    }

    /** From any reader. */
    void addReports(List<GetLoadReqOutput> loads) {
        synchronized (lock) {
            reports.add(loads);
            wake();
        }
    }

    /** From a stream's reader, in their order; it waits while there is too much. */
    void addStream(List<Waiting> items) {
        synchronized (lock) {
            for (Waiting next : items) {
                while (streamBytes > 0 && streamBytes + next.bytes() > maxStreamBytes && !closed) {
                    readerWaits = true;
                    wake();
                    try {
                        lock.wait(ROOM_LOOK_MS);
                    } catch (InterruptedException e) {
                        Thread.currentThread().interrupt();
                        return;
                    }
                }
                streams.add(next);
                streamBytes += next.bytes();
            }
            wake();
        }
    }

    /** No reader waits any more. */
    void close() {
        synchronized (lock) {
            closed = true;
            lock.notifyAll();
        }
    }

    private void wake() {
        if (takerWaits) {
            lock.notifyAll();
        }
    }

    /** Whether nothing waits in any lane. */
    boolean isEmpty() {
        synchronized (lock) {
            return nothingWaits();
        }
    }

    private boolean nothingWaits() {
        return direct.isEmpty() && reports.isEmpty() && streams.isEmpty();
    }

    /** Waits while nothing waits. */
    void await(long waitMs) {
        synchronized (lock) {
            if (nothingWaits()) {
                takerWaits = true;
                try {
                    lock.wait(waitMs);
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                }
                takerWaits = false;
            }
        }
    }

    /**
     * Takes everything in the first two lanes and some of the third.
     *
     * @param maxStreamItems so many of the third lane, at most
     */
    void take(
            Queue<Message> directInto,
            Queue<List<GetLoadReqOutput>> reportsInto,
            Queue<StreamItem> streamInto,
            int maxStreamItems) {
        synchronized (lock) {
            move(direct, directInto, Integer.MAX_VALUE);
            move(reports, reportsInto, Integer.MAX_VALUE);
            for (int n = 0; n < maxStreamItems && !streams.isEmpty(); n++) {
                Waiting next = streams.poll();
                streamBytes -= next.bytes();
                streamInto.add(next.item());
            }
            if (readerWaits) {
                readerWaits = false;
                lock.notifyAll();
            }
        }
    }

    /** Items of streams that wait; what is in the other lanes is taken at once. */
    int waitingStreamItems() {
        synchronized (lock) {
            return streams.size();
        }
    }

    private static <T> void move(ArrayDeque<T> from, Queue<T> to, int max) {
        for (int n = 0; n < max && !from.isEmpty(); n++) {
            to.add(from.poll());
        }
    }
}
