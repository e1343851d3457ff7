package dpserve.io.socket;

import dpserve.io.Endpoints;
import org.zeromq.ZMQ;

/**
 * How long a socket waits for a peer, by whether the peer may be on another host.
 *
 * @param handshakeMs longest handshake of a connecting socket, which then connects anew
 * @param pingMs how often ZeroMQ asks a connected peer for a sign of life; 0 for never
 * @param silentMs a connection whose peer gave none for so long is closed, and made anew by the side that connected
 */
record PeerTimes(int handshakeMs, int pingMs, int silentMs) {

    /** The kernel tells at once when a process of this host is gone, and a stopped one comes back. */
    private static final PeerTimes THIS_HOST = new PeerTimes(SocketLimits.HANDSHAKE_MS, 0, 0);

    /**
     * A handshake with CURVE takes three round trips: 2 s allow for half a second each. A host that lost power says nothing
     * and TCP believes in it for 15 minutes; a bound PUSH would send it half of everything while its successor gets the
     * rest. 30 s: TCP tries again at twice the interval each time, so after a cut of 10 s it may be silent for 20, and must
     * not be taken for dead: what is on its way on a connection that is closed is lost.
     */
    private static final PeerTimes OTHER_HOST = new PeerTimes(2_000, 5_000, 30_000);

    /** @param endpoint of the side that listens */
    static PeerTimes of(String endpoint) {
        return Endpoints.isLoopback(endpoint) ? THIS_HOST : OTHER_HOST;
    }

    /** To be called before a socket connects. */
    void asClient(ZMQ.Socket socket) {
        socket.setHandshakeIvl(handshakeMs);
        asServer(socket);
    }

    /** To be called before a socket binds. */
    void asServer(ZMQ.Socket socket) {
        if (pingMs > 0) {
            socket.setHeartbeatIvl(pingMs);
            socket.setHeartbeatTimeout(silentMs);
        }
    }
}
