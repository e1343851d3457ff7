package dpserve.scheduler.process;

import dpserve.io.LogLimiter;
import dpserve.io.codec.CodecException;
import dpserve.io.codec.IntArrayForm;
import dpserve.io.codec.MessageCodec;
import dpserve.io.message.Message;
import dpserve.io.socket.BindException;
import dpserve.io.socket.PullSocket;
import dpserve.io.socket.SocketLimits;
import java.util.Locale;
import java.util.concurrent.BlockingQueue;
import org.zeromq.ZContext;

/**
 * What one incarnation of a rank is sent: its PULL, a thread that reads and decodes it while the engine is at work,
 * in order. A frame that is no message is dropped and counted.
 */
final class RankInput implements AutoCloseable {
    /** How often an idle reader looks whether it should end, if nobody wakes it. */
    private static final int WAKE_MS = 5000;

    /** A closing reader waits this long for frames that are still on their way over loopback. */
    private static final int LAST_FRAME_MS = 20;

    private final PullSocket socket;
    private final LogLimiter limiter;
    private final MessageCodec codec = new MessageCodec(IntArrayForm.INT32);

    private final BlockingQueue<Message> messages;
    private final Thread reader;
    private volatile boolean closing;

    /**
     * @param endpoint with port {@code *} for a free one
     * @param connect to connect there instead of listening: SGLang's controller listens itself
     * @param messages takes what is read
     * @throws BindException if the port is in use
     */
    RankInput(ZContext context, String endpoint, boolean connect, LogLimiter limiter, BlockingQueue<Message> messages)
            throws BindException {
        this.messages = messages;
        SocketLimits limits = SocketLimits.defaults();
        this.socket =
                connect ? PullSocket.connect(context, endpoint, limits) : PullSocket.bind(context, endpoint, limits);
        this.limiter = limiter;
        this.reader = new Thread(this::read, "input");
        reader.setDaemon(true);
        reader.start();
    }

    private void read() {
        try (socket) {
            while (!closing) {
                take(socket.receive(WAKE_MS));
            }
            byte[] frame = socket.receive(LAST_FRAME_MS);
            while (frame != null) {
                take(frame);
                frame = socket.receive(LAST_FRAME_MS);
            }
        }
    }

    private void take(byte[] frame) {
        if (frame == null) {
            return;
        }
        try {
            messages.add(codec.decode(frame));
        } catch (CodecException e) {
            limiter.warn("bad_frame_" + e.kind().name().toLowerCase(Locale.ROOT), e.getMessage());
        } catch (RuntimeException e) {
            limiter.warn("failed_frame", "a frame of " + frame.length + " bytes was dropped: " + e);
        }
    }

    /** The endpoint with the port it really has. */
    String endpoint() {
        return socket.endpoint();
    }

    /** Stops listening. What has arrived by then has been handed over. */
    @Override
    public void close() {
        closing = true;
        socket.wake(); // while it ends, no step runs
        try {
            reader.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
