package dpserve.io.socket;

import org.zeromq.SocketType;
import org.zeromq.ZContext;
import org.zeromq.ZMQ;

/**
 * A PUSH socket. Owned by one thread: the one that sends also closes it. Never blocks: a peer that does not read is
 * noticed by {@link #send} returning false once the queue is full.
 */
public final class PushSocket implements AutoCloseable {
    private static final int BUFFER_BYTES = 1 << 20;

    private final ZMQ.Socket socket;
    private final String endpoint;

    /** Of a bound socket: whether its peer has shaken hands. Null for a connecting one. */
    private final Handshakes handshakes;

    private PushSocket(ZMQ.Socket socket, String endpoint, Handshakes handshakes) {
        this.socket = socket;
        this.endpoint = endpoint;
        this.handshakes = handshakes;
    }

    /**
     * Listens; the peer connects its PULL.
     *
     * @throws BindException if the port is in use
     */
    public static PushSocket bind(ZContext context, String endpoint, SocketLimits limits) throws BindException {
        return bind(context, endpoint, limits, PeerTimes.of(endpoint));
    }

    static PushSocket bind(ZContext context, String endpoint, SocketLimits limits, PeerTimes times)
            throws BindException {
        ZMQ.Socket socket = open(context, limits);
        times.asServer(socket);
        Handshakes handshakes = new Handshakes();
        socket.setEventHook(handshakes, Handshakes.EVENTS);
        Contexts.secureServer(context, socket);
        try {
            socket.bind(endpoint);
        } catch (org.zeromq.ZMQException e) {
            socket.close();
            throw new BindException(endpoint, e);
        }
        // Only now: JeroMQ throws when a socket with a send buffer size binds, but gives it to connections that come
        // later.
        socket.setSendBufferSize(BUFFER_BYTES);
        return new PushSocket(socket, socket.getLastEndpoint(), handshakes);
    }

    /**
     * Connects to a PULL; frames wait in the queue until the peer is there.
     *
     * @throws org.zeromq.ZMQException if the host has no address now
     * @throws IllegalArgumentException if the endpoint is none
     */
    public static PushSocket connect(ZContext context, String endpoint, SocketLimits limits) {
        return connect(context, endpoint, limits, PeerTimes.of(endpoint));
    }

    static PushSocket connect(ZContext context, String endpoint, SocketLimits limits, PeerTimes times) {
        ZMQ.Socket socket = open(context, limits);
        socket.setSendBufferSize(BUFFER_BYTES);
        times.asClient(socket);
        Contexts.secureClient(context, socket);
        try {
            socket.connect(endpoint);
        } catch (RuntimeException e) { // JeroMQ looks names up here
            socket.close();
            throw e;
        }
        return new PushSocket(socket, endpoint, null);
    }

    private static ZMQ.Socket open(ZContext context, SocketLimits limits) {
        ZMQ.Socket socket = context.createSocket(SocketType.PUSH);
        socket.setLinger(limits.lingerMs());
        socket.setSndHWM(limits.queueMessages());
        return socket;
    }

    /** The endpoint with the port it really has. */
    public String endpoint() {
        return endpoint;
    }

    /**
     * Queues one frame.
     *
     * @param frame handed over: the socket keeps the reference, so never change it afterwards
     * @return false if the queue is full or, for a bound socket, no peer is there; the frame was not taken
     */
    public boolean send(byte[] frame) {
        return hasPeer() && socket.send(frame, ZMQ.DONTWAIT);
    }

    /** Whether {@link #send} would take a frame now; for a bound socket also whether a peer is connected. */
    public boolean isWritable() {
        return hasPeer() && (socket.getEvents() & ZMQ.Poller.POLLOUT) != 0;
    }

    /** Whether a bound socket has a peer that is connected; true for a connecting one. */
    public boolean hasPeer() {
        return handshakes == null || handshakes.any();
    }

    /** How many peers have connected to a bound socket so far, one after the other; 0 for a connecting one. */
    public int peersSoFar() {
        return handshakes == null ? 0 : handshakes.total();
    }

    @Override
    public void close() {
        socket.close();
    }

    /** Closes without waiting for queued frames: for a peer that is gone. */
    public void closeNow() {
        socket.setLinger(0);
        socket.close();
    }
}
