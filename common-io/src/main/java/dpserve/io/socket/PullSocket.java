package dpserve.io.socket;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.UUID;
import org.zeromq.SocketType;
import org.zeromq.ZContext;
import org.zeromq.ZMQ;

/**
 * A PULL socket. Owned by one thread: the one that calls {@link #receive} also closes it.
 */
public final class PullSocket implements AutoCloseable {
    /** 1 MiB: enlarges JeroMQ's own batches; 8 KiB buffers cost 2-3 times the CPU per message. */
    private static final int BUFFER_BYTES = 1 << 20;

    private final ZContext context;
    private final ZMQ.Socket socket;
    private final String endpoint;

    /** The frame that {@link #wake} sends, and where; no peer can guess it. */
    private final String wakeWord = UUID.randomUUID().toString();

    private final byte[] wakeFrame = wakeWord.getBytes(StandardCharsets.US_ASCII);

    private PullSocket(ZContext context, ZMQ.Socket socket, String endpoint) {
        this.context = context;
        this.socket = socket;
        this.endpoint = endpoint;
        socket.bind("inproc://" + wakeWord);
    }

    /**
     * Listens.
     *
     * @param endpoint {@code tcp://host:port}; port {@code *} takes a free one, see {@link #endpoint}
     * @param limits bounds for frames and queues
     * @throws BindException if the port is in use
     */
    public static PullSocket bind(ZContext context, String endpoint, SocketLimits limits) throws BindException {
        return bind(context, endpoint, limits, PeerTimes.of(endpoint));
    }

    static PullSocket bind(ZContext context, String endpoint, SocketLimits limits, PeerTimes times)
            throws BindException {
        ZMQ.Socket socket = open(context, limits);
        times.asServer(socket);
        Contexts.secureServer(context, socket);
        try {
            socket.bind(endpoint);
        } catch (org.zeromq.ZMQException e) {
            socket.close();
            throw new BindException(endpoint, e);
        }
        return new PullSocket(context, socket, socket.getLastEndpoint());
    }

    /** Connects to a PUSH that the peer bound; a peer that is not there yet is waited for in the background. */
    public static PullSocket connect(ZContext context, String endpoint, SocketLimits limits) {
        return connect(context, endpoint, limits, PeerTimes.of(endpoint));
    }

    static PullSocket connect(ZContext context, String endpoint, SocketLimits limits, PeerTimes times) {
        ZMQ.Socket socket = open(context, limits);
        times.asClient(socket);
        Contexts.secureClient(context, socket);
        socket.connect(endpoint);
        return new PullSocket(context, socket, endpoint);
    }

    private static ZMQ.Socket open(ZContext context, SocketLimits limits) {
        ZMQ.Socket socket = context.createSocket(SocketType.PULL);
        socket.setLinger(0);
        socket.setRcvHWM(limits.queueMessages());
        socket.setMaxMsgSize(limits.maxFrameBytes());
        socket.setReceiveBufferSize(BUFFER_BYTES);
        return socket;
    }

    /** The endpoint with the port it really has. */
    public String endpoint() {
        return endpoint;
    }

    /**
     * Waits for a frame.
     *
     * @param timeoutMs how long, at most; 0 looks once
     * @return the frame, or null if none came in time, {@link #wake} was called or the context was closed
     */
    public byte[] receive(int timeoutMs) {
        try {
            if (timeoutMs != 0 && socket.getReceiveTimeOut() != timeoutMs) {
                socket.setReceiveTimeOut(timeoutMs);
            }
            byte[] frame = socket.recv(timeoutMs == 0 ? ZMQ.DONTWAIT : 0);
            return frame != null && frame.length == wakeFrame.length && Arrays.equals(frame, wakeFrame) ? null : frame;
        } catch (org.zeromq.ZMQException e) {
            int code = e.getErrorCode();
            if (code == zmq.ZError.ETERM || code == zmq.ZError.EINTR) {
                return null;
            }
            throw e;
        }
    }

    /**
     * Makes one {@link #receive} return null, so that its thread can be told something without waking up for nothing many
     * times a second. Callable from any thread, until the socket is closed.
     */
    public void wake() {
        try (ZMQ.Socket bell = context.createSocket(SocketType.PUSH)) {
            bell.connect("inproc://" + wakeWord);
            bell.send(wakeFrame.clone(), ZMQ.DONTWAIT);
        }
    }

    @Override
    public void close() {
        socket.close();
    }
}
