package dpserve.scheduler.process;

import dpserve.io.LogLimiter;
import dpserve.io.codec.CodecException;
import dpserve.io.codec.IntArrayForm;
import dpserve.io.codec.MessageCodec;
import dpserve.io.message.KvBlocks;
import dpserve.io.message.KvFailed;
import dpserve.io.message.KvPull;
import dpserve.io.message.KvReceived;
import dpserve.io.message.KvRoute;
import dpserve.io.message.Message;
import dpserve.io.socket.BindException;
import dpserve.io.socket.Peers;
import dpserve.io.socket.PullSocket;
import dpserve.io.socket.Receiver;
import dpserve.io.socket.SocketLimits;
import dpserve.scheduler.KvOutput;
import java.util.Locale;
import java.util.function.Consumer;
import java.util.function.Predicate;
import org.zeromq.ZContext;

/** A PD rank's PULL for messages of the other halves, and a PUSH to each it knows. Sends on the main thread only. */
final class KvLink implements KvOutput, AutoCloseable {
    private final LogLimiter limiter;
    private final MessageCodec codec = new MessageCodec(IntArrayForm.INT32);
    private final Peers peers;
    private final String endpoint;
    private final Receiver receiver;

    /**
     * @param bind with port {@code *} for a free one
     * @param allowed whether this process may connect to an endpoint that a peer named
     * @param sink takes each message, on a thread of its own
     */
    KvLink(ZContext context, String bind, Predicate<String> allowed, LogLimiter limiter, Consumer<Message> sink)
            throws BindException {
        this.limiter = limiter;
        PullSocket pull = PullSocket.bind(context, bind, SocketLimits.defaults());
        this.endpoint = pull.endpoint();
        this.peers = new Peers(context, allowed);
        MessageCodec reading = new MessageCodec(IntArrayForm.INT32);
        this.receiver = new Receiver("kv", pull, frame -> read(reading, frame, sink)).start();
    }

    private void read(MessageCodec reading, byte[] frame, Consumer<Message> sink) {
        try {
            Message message = reading.decode(frame);
            if (message instanceof KvBlocks
                    || message instanceof KvPull
                    || message instanceof KvReceived
                    || message instanceof KvRoute
                    || message instanceof KvFailed) {
                sink.accept(message);
            } else {
                limiter.warn("unexpected_message", "only KV messages belong on the KV endpoint");
            }
        } catch (CodecException e) {
            limiter.warn("bad_frame_" + e.kind().name().toLowerCase(Locale.ROOT), e.getMessage());
        }
    }

    /** The endpoint with the port it really has. */
    String endpoint() {
        return endpoint;
    }

    @Override
    public void toPeer(String to, Message message) {
        if (to == null || !peers.send(to, codec.encode(message))) {
            limiter.warn("kv_not_sent", message.getClass().getSimpleName());
        }
    }

    @Override
    public void close() {
        receiver.close();
        peers.close();
    }
}
