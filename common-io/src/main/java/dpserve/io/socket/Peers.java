package dpserve.io.socket;

import dpserve.io.Endpoints;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Predicate;
import org.zeromq.ZContext;
import org.zeromq.ZMQException;

/**
 * PUSH sockets to peers that named their endpoints themselves: connected at the first message, at most {@link #MAX}, the
 * one unused for longest closed for a new one. Owned by one thread.
 */
public final class Peers implements AutoCloseable {
    /** Far above the ranks of any pair of servers on one machine, and below its file descriptors. */
    public static final int MAX = 512;

    private final ZContext context;
    private final Predicate<String> allowed;
    private final Map<String, PushSocket> sockets = new LinkedHashMap<>(16, 0.75f, true);

    /** @param allowed whether this process may connect to an endpoint */
    public Peers(ZContext context, Predicate<String> allowed) {
        this.context = context;
        this.allowed = allowed;
    }

    /**
     * Queues one frame.
     *
     * @return false if the endpoint is not allowed, its host has no address, or its queue is full; the frame was not taken
     */
    public boolean send(String endpoint, byte[] frame) {
        PushSocket socket = sockets.get(endpoint);
        if (socket == null) {
            if (!Endpoints.isTcp(endpoint) || !allowed.test(endpoint)) {
                return false;
            }
            socket = connect(endpoint);
            if (socket == null) {
                return false;
            }
            if (sockets.size() >= MAX) {
                String oldest = sockets.keySet().iterator().next();
                sockets.remove(oldest).closeNow();
            }
            sockets.put(endpoint, socket);
        }
        return socket.send(frame);
    }

    private PushSocket connect(String endpoint) {
        try {
            return PushSocket.connect(context, endpoint, SocketLimits.defaults());
        } catch (ZMQException | IllegalArgumentException e) {
            return null;
        }
    }

    @Override
    public void close() {
        sockets.values().forEach(PushSocket::closeNow);
        sockets.clear();
    }
}
