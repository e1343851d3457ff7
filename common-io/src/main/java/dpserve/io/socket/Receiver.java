package dpserve.io.socket;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A thread that owns one PULL socket and hands every frame to a handler, in order. The handler runs on this thread; an
 * exception it throws is logged and costs that frame only.
 */
public final class Receiver implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Receiver.class);

    /** Takes the frames of one socket, on the receiver's thread. */
    @FunctionalInterface
    public interface Handler {
        /** A frame, which is the handler's from now on. */
        void accept(byte[] frame);

        /** Every frame that had arrived was handed over; the thread is about to wait for more. */
        default void caughtUp() {}
    }

    /** How often an idle thread looks whether it should end, if nobody wakes it. */
    private static final int WAKE_MS = 5000;

    private final PullSocket socket;
    private final Handler handler;
    private final Thread thread;
    private volatile boolean closing;

    /**
     * @param name of the thread
     * @param socket handed over: only this thread uses and closes it
     */
    public Receiver(String name, PullSocket socket, Handler handler) {
        this.socket = socket;
        this.handler = handler;
        this.thread = new Thread(this::run, name);
        this.thread.setDaemon(true);
    }

    /** Starts the thread. */
    public Receiver start() {
        thread.start();
        return this;
    }

    private void run() {
        try (socket) {
            while (!closing) {
                byte[] frame = socket.receive(0);
                if (frame == null) {
                    handler.caughtUp();
                    frame = closing ? null : socket.receive(WAKE_MS); // the bell may have rung just now
                }
                if (frame != null) {
                    handle(frame);
                }
            }
        }
    }

    private void handle(byte[] frame) {
        try {
            handler.accept(frame);
        } catch (RuntimeException e) {
            LOG.error("a frame of {} bytes was dropped", frame.length, e);
        }
    }

    /** Asks the thread to end, without waiting for it: for a process that ends many. {@link #close} still has to follow. */
    public void stop() {
        closing = true;
        if (thread.isAlive()) {
            socket.wake();
        }
    }

    /** Ends the thread and its socket; returns when both are gone. */
    @Override
    public void close() {
        stop();
        try {
            thread.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
