package dpserve.io.socket;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Predicate;
import org.zeromq.ZContext;

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
     * @return false if the endpoint is not allowed, or its queue is full; the frame was not taken
     */
    public boolean send(String endpoint, byte[] frame) {
        PushSocket socket = sockets.get(endpoint);
        if (socket == null) {
            if (!allowed.test(endpoint)) {
                return false;
            }
            if (sockets.size() >= MAX) {
                String oldest = sockets.keySet().iterator().next();
                sockets.remove(oldest).closeNow();
            }
            socket = PushSocket.connect(context, endpoint, SocketLimits.defaults());
            sockets.put(endpoint, socket);
        }
        return socket.send(frame);
    }

    @Override
    public void close() {
        sockets.values().forEach(PushSocket::closeNow);
        sockets.clear();
    }
}
