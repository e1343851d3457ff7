package dpserve.controller.process;

import dpserve.controller.ControllerOutput;
import dpserve.io.Endpoints;
import dpserve.io.codec.IntArrayForm;
import dpserve.io.codec.MessageCodec;
import dpserve.io.message.Message;
import dpserve.io.socket.BindException;
import dpserve.io.socket.PushSocket;
import dpserve.io.socket.SocketLimits;
import java.util.HashMap;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.zeromq.ZContext;

/** The controller's PUSH sockets: one for each rank and each tokenizer worker. Used by the controller's thread only. */
final class SocketOutput implements ControllerOutput, AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(SocketOutput.class);

    /**
     * How long a word to a fenced rank of another host may take: the connection is a fresh one, and a handshake with CURVE takes
     * three round trips. Below the launcher's patience with a controller that ends, which waits for it.
     */
    private static final int FAR_INPUT_LINGER_MS = 4000;

    private final ZContext context;
    private final SocketLimits limits;
    private final MessageCodec codec = new MessageCodec(IntArrayForm.INT32);
    private final Map<Integer, PushSocket> ranks = new HashMap<>();
    private final Map<Integer, PushSocket> workers = new HashMap<>();

    SocketOutput(ZContext context, SocketLimits limits) {
        this.context = context;
        this.limits = limits;
    }

    /**
     * Listens for a legacy rank, which connects by itself.
     *
     * @return the endpoint with its real port
     * @throws BindException if the port is in use
     */
    String bindLegacyRank(int dpRank, String endpoint) throws BindException {
        PushSocket socket = PushSocket.bind(context, endpoint, limits);
        ranks.put(dpRank, socket);
        return socket.endpoint();
    }

    /** Whether a rank's socket would take a frame; for a legacy rank, whether it is there. */
    boolean isWritable(int dpRank) {
        PushSocket socket = ranks.get(dpRank);
        return socket != null && socket.isWritable();
    }

    @Override
    public boolean connectRank(int dpRank, String inputEndpoint) {
        return connect(ranks, dpRank, inputEndpoint);
    }

    @Override
    public void closeRank(int dpRank) {
        closeNow(ranks.remove(dpRank));
    }

    @Override
    public boolean toRank(int dpRank, byte[] frame) {
        PushSocket socket = ranks.get(dpRank);
        return socket != null && socket.send(frame);
    }

    @Override
    public boolean toRank(int dpRank, Message message) {
        return toRank(dpRank, codec.encode(message));
    }

    @Override
    public void toInput(String inputEndpoint, Message message) {
        boolean near = Endpoints.isLoopback(inputEndpoint);
        int lingerMs = near ? limits.lingerMs() : FAR_INPUT_LINGER_MS;
        PushSocket socket =
                open(inputEndpoint, new SocketLimits(limits.queueMessages(), limits.maxFrameBytes(), lingerMs));
        if (socket != null) {
            socket.send(codec.encode(message));
            socket.close(); // lingers in the background until the message is out
        }
    }

    @Override
    public boolean connectWorker(int worker, String pullEndpoint) {
        return connect(workers, worker, pullEndpoint);
    }

    @Override
    public boolean toWorker(int worker, Message message) {
        return toWorker(worker, codec.encode(message));
    }

    @Override
    public boolean toWorker(int worker, byte[] frame) {
        PushSocket socket = workers.get(worker);
        return socket != null && socket.send(frame);
    }

    private boolean connect(Map<Integer, PushSocket> peers, int peer, String endpoint) {
        closeNow(peers.remove(peer));
        PushSocket socket = open(endpoint, limits);
        if (socket != null) {
            peers.put(peer, socket);
        }
        return socket != null;
    }

    /** Null if the text is no endpoint, which a peer's hello may bring about. */
    private PushSocket open(String endpoint, SocketLimits ofSocket) {
        try {
            return PushSocket.connect(context, Endpoints.requireTcp("endpoint", endpoint), ofSocket);
        } catch (RuntimeException e) {
            LOG.debug("not connected", e);
            return null;
        }
    }

    private static void closeNow(PushSocket socket) {
        if (socket != null) {
            socket.closeNow();
        }
    }

    /** Ranks get nothing more; workers still get what is queued for them. */
    @Override
    public void close() {
        ranks.values().forEach(PushSocket::close);
        workers.values().forEach(PushSocket::close);
        ranks.clear();
        workers.clear();
    }
}
