package dpserve.controller.process;

import dpserve.controller.ControllerOutput;
import dpserve.io.Endpoints;
import dpserve.io.codec.IntArrayForm;
import dpserve.io.codec.MessageCodec;
import dpserve.io.message.Message;
import dpserve.io.socket.BindException;
import dpserve.io.socket.PushSocket;
import dpserve.io.socket.SocketLimits;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.zeromq.ZContext;

/** The controller's PUSH sockets: one for each rank and each tokenizer worker. Used by whoever has the {@link Turn}. */
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

    /** By dp_rank, null where none is connected: looked at for every request. */
    private RankQueue[] ranks = {};

    /** Those that were given something in this turn, or have something left of an earlier one. */
    private final List<RankQueue> given = new ArrayList<>();

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
        put(dpRank, socket);
        return socket.endpoint();
    }

    private void put(int dpRank, PushSocket socket) {
        if (dpRank >= ranks.length) {
            ranks = Arrays.copyOf(ranks, Math.max(dpRank + 1, 2 * ranks.length));
        }
        ranks[dpRank] = new RankQueue(socket);
    }

    private RankQueue get(int dpRank) {
        return dpRank < ranks.length ? ranks[dpRank] : null;
    }

    /** Whether a rank's socket would take a frame; for a legacy rank, whether it is there. */
    boolean isWritable(int dpRank) {
        RankQueue rank = get(dpRank);
        return rank != null && rank.isWritable();
    }

    @Override
    public boolean connectRank(int dpRank, String inputEndpoint) {
        closeRank(dpRank);
        PushSocket socket = open(inputEndpoint, limits);
        if (socket != null) {
            put(dpRank, socket);
        }
        return socket != null;
    }

    @Override
    public void closeRank(int dpRank) {
        RankQueue rank = get(dpRank);
        if (rank != null) {
            ranks[dpRank] = null;
            given.remove(rank);
            rank.closeNow();
        }
    }

    @Override
    public boolean toRank(int dpRank, byte[] frame) {
        RankQueue rank = get(dpRank);
        if (rank == null) {
            return false;
        }
        boolean first = rank.isEmpty();
        boolean taken = rank.add(frame);
        if (first && taken) {
            given.add(rank);
        }
        return taken;
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
        closeNow(workers.remove(worker));
        PushSocket socket = open(pullEndpoint, limits);
        if (socket != null) {
            workers.put(worker, socket);
        }
        return socket != null;
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

    /** Hands to the ranks' sockets what was sent to them; to be called at the end of every turn. */
    void flush() {
        for (int i = given.size() - 1; i >= 0; i--) {
            given.get(i).flush();
            if (given.get(i).isEmpty()) {
                given.remove(i);
            }
        }
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
        Stream.of(ranks).filter(Objects::nonNull).forEach(RankQueue::close);
        workers.values().forEach(PushSocket::close);
        given.clear();
        Arrays.fill(ranks, null);
        workers.clear();
    }
}
