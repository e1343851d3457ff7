package dpserve.io.socket;

import org.zeromq.ZEvent;
import org.zeromq.ZMQ;

/**
 * Whether a bound socket has a peer that answers. JeroMQ queues frames for a connection as soon as TCP accepts it and
 * throws them away if the handshake then fails, which now and then it does (see {@link SocketLimits#HANDSHAKE_MS}). So a
 * bound PUSH sends only after a handshake. Told by JeroMQ's I/O thread, asked by the socket's owner.
 */
final class Handshakes implements ZEvent.ZEventConsummer {
    static final int EVENTS = ZMQ.EVENT_ACCEPTED | ZMQ.EVENT_HANDSHAKE_PROTOCOL | ZMQ.EVENT_DISCONNECTED;

    private int accepted;
    private volatile int shaken;
    private volatile int total;

    /** Whether a peer has shaken hands and is still connected. */
    boolean any() {
        return shaken > 0;
    }

    /** Handshakes so far. */
    int total() {
        return total;
    }

    @Override
    public synchronized void consume(ZEvent event) {
        switch (event.getEvent()) {
            case ACCEPTED -> accepted++;
            case HANDSHAKE_PROTOCOL -> {
                shaken = Math.min(accepted, shaken + 1);
                total++;
            }
            // The event does not say which connection it was; one that never shook hands is the likelier to break.
            case DISCONNECTED -> {
                accepted = Math.max(0, accepted - 1);
                shaken = Math.min(accepted, shaken);
            }
            default -> {}
        }
    }
}
