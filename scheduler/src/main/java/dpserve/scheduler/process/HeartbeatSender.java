package dpserve.scheduler.process;

import dpserve.io.codec.IntArrayForm;
import dpserve.io.codec.MessageCodec;
import dpserve.io.message.Heartbeat;
import dpserve.io.socket.PushSocket;
import dpserve.io.socket.SocketLimits;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.zeromq.ZContext;

/**
 * Tells the controller that this rank is alive, from a thread and a socket of its own: a step that takes long must not
 * look like death.
 */
final class HeartbeatSender implements AutoCloseable {
    /** Heartbeats kept for a controller that is not there: a new one says all that an old one said. */
    private static final int QUEUE = 2;

    private final ZContext context;
    private final String endpoint;
    private final long intervalMs;
    private final Supplier<Heartbeat> current;
    private final Object lock = new Object();
    private boolean closing;
    private boolean due;
    private final Thread thread = new Thread(this::run, "heartbeat");

    /** @param current what to send, asked from this class's thread; null for nothing yet */
    HeartbeatSender(ZContext context, String endpoint, long intervalMs, Supplier<Heartbeat> current) {
        this.context = context;
        this.endpoint = endpoint;
        this.intervalMs = intervalMs;
        this.current = current;
        thread.setDaemon(true);
    }

    HeartbeatSender start() {
        thread.start();
        return this;
    }

    private void run() {
        MessageCodec codec = new MessageCodec(IntArrayForm.INT32);
        SocketLimits limits = new SocketLimits(QUEUE, SocketLimits.DEFAULT_MAX_FRAME_BYTES, 0);
        try (PushSocket socket = PushSocket.connect(context, endpoint, limits)) {
            Heartbeat encoded = null;
            byte[] frame = null;
            do {
                Heartbeat beat = current.get();
                if (beat != null && beat != encoded) {
                    encoded = beat;
                    frame = codec.encode(beat);
                }
                if (beat != null) {
                    socket.send(frame); // sockets only read it, so it may be in a queue twice
                }
            } while (awaitNext());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /**
     * How long to wait for the next one: until a multiple of the interval by the host's clock. So the ranks
     * of a host beat together, and their controller is woken once for all of them: waking it is most of what a heartbeat costs.
     *
     * @param epochMs now
     * @return from an eighth of the interval, so that a slewed clock does not make two of one, to under nine eighths of it
     */
    static long waitMs(long epochMs, long intervalMs) {
        long leftMs = intervalMs - Math.floorMod(epochMs, intervalMs);
        return leftMs >= intervalMs / 8 ? leftMs : leftMs + intervalMs;
    }

    /** Waits until a heartbeat is due; false when none is any more. */
    private boolean awaitNext() throws InterruptedException {
        long untilNs =
                System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(waitMs(System.currentTimeMillis(), intervalMs));
        synchronized (lock) {
            for (long ns = untilNs - System.nanoTime(); !closing && !due && ns > 0; ns = untilNs - System.nanoTime()) {
                TimeUnit.NANOSECONDS.timedWait(lock, ns);
            }
            due = false;
            return !closing;
        }
    }

    /** Something changed that the controller should know at once. Calls that come quickly share one heartbeat. */
    void beatNow() {
        synchronized (lock) {
            due = true;
            lock.notifyAll();
        }
    }

    @Override
    public void close() {
        synchronized (lock) {
            closing = true;
            lock.notifyAll();
        }
        try {
            thread.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
