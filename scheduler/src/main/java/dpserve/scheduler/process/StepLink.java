package dpserve.scheduler.process;

import dpserve.io.Endpoints;
import dpserve.io.LogLimiter;
import dpserve.io.codec.CodecException;
import dpserve.io.codec.IntArrayForm;
import dpserve.io.codec.MessageCodec;
import dpserve.io.message.Message;
import dpserve.io.message.RankDown;
import dpserve.io.message.RankUp;
import dpserve.io.message.StepDone;
import dpserve.io.socket.BindException;
import dpserve.io.socket.PullSocket;
import dpserve.io.socket.PushSocket;
import dpserve.io.socket.Receiver;
import dpserve.io.socket.SocketLimits;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.function.Consumer;
import org.zeromq.ZContext;

/** A rank's PULL for the steps of its peers, and a PUSH to each of them. Sends on the main thread only. */
final class StepLink implements AutoCloseable {
    private final ZContext context;
    private final LogLimiter limiter;
    private final MessageCodec codec = new MessageCodec(IntArrayForm.INT32);
    private final Map<Integer, PushSocket> peers = new HashMap<>();
    private final String endpoint;
    private final Receiver receiver;

    /**
     * @param bind with port {@code *} for a free one
     * @param sink takes each StepDone, on a thread of its own
     */
    StepLink(ZContext context, String bind, LogLimiter limiter, Consumer<Message> sink) throws BindException {
        this.context = context;
        this.limiter = limiter;
        PullSocket pull = PullSocket.bind(context, bind, SocketLimits.defaults());
        this.endpoint = pull.endpoint();
        MessageCodec reading = new MessageCodec(IntArrayForm.INT32);
        this.receiver = new Receiver("steps", pull, frame -> read(reading, frame, sink)).start();
    }

    private void read(MessageCodec reading, byte[] frame, Consumer<Message> sink) {
        try {
            if (reading.decode(frame) instanceof StepDone step) {
                sink.accept(step);
            } else {
                limiter.warn("unexpected_message", "only StepDone belongs on the step endpoint");
            }
        } catch (CodecException e) {
            limiter.warn("bad_frame_" + e.kind().name().toLowerCase(Locale.ROOT), e.getMessage());
        }
    }

    /** The endpoint with the port it really has. */
    String endpoint() {
        return endpoint;
    }

    /** Connects to a peer, afresh if it was known. */
    void connect(RankUp up) {
        closeNow(peers.remove(up.dpRank()));
        try {
            String to = Endpoints.requireTcp("step endpoint", up.stepEndpoint());
            peers.put(up.dpRank(), PushSocket.connect(context, to, SocketLimits.defaults()));
        } catch (IllegalArgumentException e) {
            limiter.warn("bad_step_endpoint", e.getMessage());
        }
    }

    void disconnect(RankDown down) {
        closeNow(peers.remove(down.dpRank()));
    }

    /** To one peer; what cannot be sent is repeated by the caller. */
    void send(int dpRank, StepDone message) {
        PushSocket socket = peers.get(dpRank);
        if (socket == null || !socket.send(codec.encode(message))) {
            limiter.warn("step_not_sent", "dp_rank " + dpRank);
        }
    }

    private static void closeNow(PushSocket socket) {
        if (socket != null) {
            socket.closeNow();
        }
    }

    @Override
    public void close() {
        receiver.close();
        peers.values().forEach(PushSocket::closeNow);
    }
}
