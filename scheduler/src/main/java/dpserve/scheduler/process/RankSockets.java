package dpserve.scheduler.process;

import dpserve.io.Endpoints;
import dpserve.io.LogLimiter;
import dpserve.io.codec.IntArrayForm;
import dpserve.io.codec.MessageCodec;
import dpserve.io.message.BatchTokenIDOutput;
import dpserve.io.message.Message;
import dpserve.io.message.Stamps;
import dpserve.io.process.EpochClock;
import dpserve.io.socket.Outbox;
import dpserve.io.socket.PushSocket;
import dpserve.io.socket.SocketLimits;
import dpserve.scheduler.SchedulerOutput;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.zeromq.ZContext;

/**
 * The main thread's way out: a PUSH to each detokenizer, to each configured tokenizer worker and to the controller.
 * Never waits: a peer whose queue is full costs it that message, which is counted.
 */
final class RankSockets implements SchedulerOutput, AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(RankSockets.class);

    /** 5 ms: how often what a detokenizer did not take is offered again while there is no step. */
    private static final long FLUSH_NS = 5_000_000;

    private final EpochClock clock = EpochClock.start();
    private final MessageCodec codec;
    private final LogLimiter limiter;
    private final List<PushSocket> detokenizers = new ArrayList<>();
    private final Outbox toDetokenizers = new Outbox(Outbox.DEFAULT_MAX_BYTES);
    private final Map<String, PushSocket> tokenizers = new HashMap<>();
    private final PushSocket firstTokenizer;
    private final PushSocket controller;

    RankSockets(ZContext context, Endpoints endpoints, IntArrayForm form, LogLimiter limiter) {
        this.codec = new MessageCodec(form);
        this.limiter = limiter;
        SocketLimits limits = SocketLimits.defaults();
        for (String endpoint : endpoints.detokenizer()) {
            PushSocket socket = PushSocket.connect(context, endpoint, limits.withQueue(Outbox.SOCKET_QUEUE_MESSAGES));
            detokenizers.add(socket);
            toDetokenizers.add(socket::send);
        }
        for (String endpoint : endpoints.tokenizerPull()) {
            tokenizers.put(endpoint, PushSocket.connect(context, endpoint, limits));
        }
        this.firstTokenizer = tokenizers.get(endpoints.tokenizerPull().get(0));
        this.controller = PushSocket.connect(context, endpoints.controller(), limits);
    }

    @Override
    public void toDetokenizer(int index, BatchTokenIDOutput output) {
        toEpoch(output.stamps());
        warnUnless(toDetokenizers.send(index, codec.encode(output)), "detokenizer");
    }

    /**
     * Offers again what detokenizers have not taken.
     *
     * @param mostNs longest time that the caller wants to sleep
     * @return how long it may, ns
     */
    long flush(long mostNs) {
        return toDetokenizers.flush() ? mostNs : Math.min(mostNs, FLUSH_NS);
    }

    /** The rank's own stamps become seconds since the epoch; a stage that was not reached stays 0. */
    private void toEpoch(double[][] stamps) {
        if (stamps == null) {
            return;
        }
        double zero = clock.applyAsDouble(0);
        for (double[] of : stamps) {
            for (int s = Stamps.RECEIVED; of != null && s <= Stamps.FINISHED; s++) {
                of[s] = of[s] == 0 ? 0 : of[s] + zero;
            }
        }
    }

    @Override
    public void toTokenizer(String httpWorkerIpc, Message message) {
        PushSocket socket = httpWorkerIpc == null ? firstTokenizer : tokenizers.get(httpWorkerIpc);
        if (socket == null) {
            limiter.warn("unknown_http_worker_ipc", "an answer was dropped: no tokenizer worker is configured there");
        } else {
            send(socket, message, "tokenizer");
        }
    }

    void toController(Message message) {
        send(controller, message, "controller");
    }

    private void send(PushSocket socket, Message message, String peer) {
        warnUnless(socket.send(codec.encode(message)), peer);
    }

    private void warnUnless(boolean sent, String peer) {
        if (!sent) {
            limiter.warn(peer + "_queue_full", "a message to a " + peer + " was dropped");
        }
    }

    @Override
    public void info(String line) {
        LOG.info(line);
    }

    @Override
    public void warn(String kind, String detail) {
        limiter.warn(kind, detail);
    }

    @Override
    public void close() {
        detokenizers.forEach(PushSocket::close);
        tokenizers.values().forEach(PushSocket::close);
        controller.close();
    }
}
