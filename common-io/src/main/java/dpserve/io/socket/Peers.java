package dpserve.io.socket;

import dpserve.io.Endpoints;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.LongSupplier;
import java.util.function.Predicate;
import org.zeromq.ZContext;
import org.zeromq.ZMQException;

/**
 * PUSH sockets to peers that named their endpoints themselves: connected at the first message, at most {@link #MAX}, the
 * one unused for longest closed for a new one. One that was not used for {@link #IDLE_NS} is closed with what is queued for it when
 * anything is sent: its peer is gone, or has long had all. Owned by one thread.
 */
public final class Peers implements AutoCloseable {
    /** Far above the ranks of any pair of servers on one machine, and below its file descriptors. */
    public static final int MAX = 512;

    /** Whatever matters to a peer is repeated every few seconds; KV queued for a dead one is megabytes. */
    static final long IDLE_NS = 60_000_000_000L;

    private static final class Peer {
        final PushSocket socket;
        long usedNs;

        Peer(PushSocket socket) {
            this.socket = socket;
        }
    }

    private final ZContext context;
    private final LongSupplier clock;
    private final Predicate<String> allowed;

    /** The one used last comes last. */
    private final Map<String, Peer> peers = new LinkedHashMap<>(16, 0.75f, true);

    /** @param allowed whether this process may connect to an endpoint */
    public Peers(ZContext context, Predicate<String> allowed) {
        this(context, allowed, System::nanoTime);
    }

    Peers(ZContext context, Predicate<String> allowed, LongSupplier clock) {
        this.context = context;
        this.allowed = allowed;
        this.clock = clock;
    }

    /**
     * Queues one frame.
     *
     * @return false if the endpoint is not allowed, its host has no address, or its queue is full; the frame was not taken
     */
    public boolean send(String endpoint, byte[] frame) {
        Peer peer = peers.get(endpoint);
        if (peer == null) {
            if (!Endpoints.isTcp(endpoint) || !allowed.test(endpoint)) {
                return false;
            }
            PushSocket socket = connect(endpoint);
            if (socket == null) {
                return false;
            }
            if (peers.size() >= MAX) {
                closeOldest();
            }
            peer = new Peer(socket);
            peers.put(endpoint, peer);
        }
        peer.usedNs = clock.getAsLong();
        while (peer.usedNs - peers.values().iterator().next().usedNs >= IDLE_NS) {
            closeOldest();
        }
        return peer.socket.send(frame);
    }

    private void closeOldest() {
        peers.remove(peers.keySet().iterator().next()).socket.closeNow();
    }

    /** How many are connected. */
    int size() {
        return peers.size();
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
        peers.values().forEach(peer -> peer.socket.closeNow());
        peers.clear();
    }
}
