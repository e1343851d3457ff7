package dpserve.controller.process;

import dpserve.io.message.GetLoadReqOutput;
import dpserve.io.message.Message;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Queue;

/**
 * Where reader threads leave what they read while it is another's {@link Turn}. Three lanes: messages on the
 * controller's own endpoint (hellos and heartbeats must not wait behind requests, or busy ranks would look dead),
 * reports (they must not be older than the decision they are for), and what streams brought, in order of arrival. The first two are
 * urgent: whoever has the turn deals with them. The third is the controller's thread's.
 */
final class Inbox {

    /** What one stream sent, decoded as far as needed. */
    interface StreamItem {
        /** Hands it to the controller. */
        void deliver(long nowNs);

        /** Length of its frame. */
        int bytes();
    }

    /** How often a reader that waits for room looks whether the process is ending. */
    private static final long ROOM_LOOK_MS = 100;

    private final long maxStreamBytes;

    private final Object lock = new Object();
    private final ArrayDeque<Message> direct = new ArrayDeque<>();
    private final ArrayDeque<List<GetLoadReqOutput>> reports = new ArrayDeque<>();
    private final ArrayDeque<StreamItem> streams = new ArrayDeque<>();
    private long streamBytes;
    private volatile boolean urgentWaits;
    private volatile boolean streamsWait;
    private boolean readerWaits;
    private boolean closed;
    private boolean takerWaits;

    /** @param maxStreamBytes of the third lane; a reader with more waits, and with it its socket and the peers behind */
    Inbox(long maxStreamBytes) {
        this.maxStreamBytes = maxStreamBytes;
    }

    /** From the reader of the controller's endpoint, which then has to {@link Turn#serve}. */
    void addDirect(Message message) {
        synchronized (lock) {
            direct.add(message);
            urgentWaits = true;
        }
    }

    /** From any reader, which then has to {@link Turn#serve}. */
    void addReports(List<GetLoadReqOutput> loads) {
        synchronized (lock) {
            reports.add(loads);
            urgentWaits = true;
        }
    }

    /** From a stream's reader, in their order; it waits while there is too much. */
    void addStream(List<StreamItem> items) {
        synchronized (lock) {
            for (StreamItem next : items) {
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
                streamsWait = true;
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

    /** Whether something waits in a lane that overtakes requests. */
    boolean urgentWaits() {
        return urgentWaits;
    }

    /** Whether something of a stream waits. */
    boolean streamsWait() {
        return streamsWait;
    }

    /** Waits while nothing of a stream waits. */
    void await(long waitMs) {
        synchronized (lock) {
            if (streams.isEmpty()) {
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

    /** Takes everything in the urgent lanes. */
    void takeUrgent(Queue<Message> directInto, Queue<List<GetLoadReqOutput>> reportsInto) {
        synchronized (lock) {
            urgentWaits = false;
            directInto.addAll(direct);
            direct.clear();
            reportsInto.addAll(reports);
            reports.clear();
        }
    }

    /** Takes what streams brought, at most so many items. */
    void takeStreams(Queue<StreamItem> into, int most) {
        synchronized (lock) {
            for (int n = 0; n < most && !streams.isEmpty(); n++) {
                StreamItem next = streams.poll();
                streamBytes -= next.bytes();
                into.add(next);
            }
            streamsWait = !streams.isEmpty();
            if (readerWaits) {
                readerWaits = false;
                lock.notifyAll();
            }
        }
    }
}
