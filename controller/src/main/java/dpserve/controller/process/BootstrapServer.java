package dpserve.controller.process;

import dpserve.controller.BootstrapRooms;
import dpserve.io.LogLimiter;
import dpserve.io.codec.CodecException;
import dpserve.io.codec.IntArrayForm;
import dpserve.io.codec.MessageCodec;
import dpserve.io.message.KvRoute;
import dpserve.io.message.KvRouteReq;
import dpserve.io.message.Message;
import dpserve.io.socket.BindException;
import dpserve.io.socket.Peers;
import dpserve.io.socket.PullSocket;
import dpserve.io.socket.Receiver;
import dpserve.io.socket.SocketLimits;
import java.util.Locale;
import java.util.function.Predicate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.zeromq.ZContext;

/** A prefill server's bootstrap server: a PULL and {@link BootstrapRooms} on a thread of their own, beside the controller. */
final class BootstrapServer implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(BootstrapServer.class);

    private final BootstrapRooms rooms = new BootstrapRooms();
    private final MessageCodec codec = new MessageCodec(IntArrayForm.INT32);
    private final LogLimiter limiter = new LogLimiter(LOG);
    private final Peers peers;
    private final Receiver receiver;

    /**
     * Listens.
     *
     * @param allowed whether this process may connect to an endpoint that a rank named
     * @throws BindException if the port is in use
     */
    BootstrapServer(ZContext context, String endpoint, Predicate<String> allowed) throws BindException {
        PullSocket pull = PullSocket.bind(context, endpoint, SocketLimits.defaults());
        this.peers = new Peers(context, allowed);
        this.receiver = new Receiver("bootstrap", pull, this::onFrame).start();
    }

    private void onFrame(byte[] frame) {
        try {
            Message message = codec.decode(frame);
            if (message instanceof KvRoute route) {
                rooms.announce(route, System.nanoTime()).forEach(to -> send(to, route));
            } else if (message instanceof KvRouteReq question) {
                KvRoute route = rooms.ask(question, System.nanoTime());
                if (route != null) {
                    send(question.replyTo(), route);
                }
            } else {
                limiter.warn("unexpected_message", "only KvRoute and KvRouteReq belong on the bootstrap endpoint");
            }
        } catch (CodecException e) {
            limiter.warn("bad_frame_" + e.kind().name().toLowerCase(Locale.ROOT), e.getMessage());
        }
    }

    private void send(String to, KvRoute route) {
        if (!peers.send(to, codec.encode(route))) {
            limiter.warn("route_not_sent", "an answer to a decode rank was dropped");
        }
    }

    @Override
    public void close() {
        receiver.close();
        peers.close();
    }
}
