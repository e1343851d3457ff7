package dpserve.tokenizer.process;

import dpserve.io.Endpoints;
import dpserve.io.LogLimiter;
import dpserve.io.codec.CodecException;
import dpserve.io.codec.IntArrayForm;
import dpserve.io.codec.MessageCodec;
import dpserve.io.message.Hello;
import dpserve.io.message.Message;
import dpserve.io.message.WatchLoadUpdateReq;
import dpserve.io.socket.BindException;
import dpserve.io.socket.PullSocket;
import dpserve.io.socket.PushSocket;
import dpserve.io.socket.Receiver;
import dpserve.io.socket.SocketLimits;
import dpserve.tokenizer.ManagerOutput;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.Consumer;
import org.zeromq.ZContext;

/**
 * The sockets of one worker. Everything but the receiving thread belongs to the event loop's thread, which also creates
 * the sending sockets.
 */
final class TokenizerSockets implements ManagerOutput, AutoCloseable {
    private final ZContext context;
    private final SocketLimits limits = SocketLimits.defaults();
    private final LogLimiter log;
    private final SglangPeers sglang;
    private final MessageCodec codec;
    private final PushSocket stream;
    private final PushSocket controller;
    private final List<PushSocket> detokenizers = new ArrayList<>();
    private final PullSocket pull;
    /**
     * Frames that wait here to be read; the others wait at the detokenizers, some thousands more for all workers. 500 rows make a frame of 60 kB:
     * 240 MB of a heap of 1 GiB.
     */
    private static final int OUTPUT_QUEUE = 4_000;

    private Receiver receiver;
    private Hello streamHello;
    private boolean streamGreeted;

    /** How many peers the stream had had when it was greeted. */
    private int greetedPeers;

    TokenizerSockets(
            ZContext context,
            Endpoints endpoints,
            int workerIndex,
            IntArrayForm form,
            SglangPeers sglang,
            LogLimiter log)
            throws BindException {
        this.context = context;
        this.log = log;
        this.sglang = sglang;
        this.codec = new MessageCodec(form);
        try {
            pull = PullSocket.bind(
                    context,
                    endpoints.tokenizerPull().get(workerIndex),
                    new SocketLimits(
                            OUTPUT_QUEUE, SocketLimits.DEFAULT_MAX_FRAME_BYTES, SocketLimits.DEFAULT_LINGER_MS));
            stream = PushSocket.bind(context, endpoints.tokenizerPush().get(workerIndex), limits);
        } catch (BindException e) {
            context.close();
            throw e;
        }
        controller = PushSocket.connect(context, endpoints.controller(), limits);
        for (String endpoint : endpoints.detokenizer()) {
            detokenizers.add(PushSocket.connect(context, endpoint, limits));
        }
    }

    /**
     * Starts the thread that receives, on which both are called.
     *
     * @param handler takes each message
     * @param caughtUp hears that nothing more waited to be received
     */
    void receive(Consumer<Message> handler, Runnable caughtUp) {
        MessageCodec decoder = new MessageCodec(IntArrayForm.INT32);
        Receiver.Handler frames = new Receiver.Handler() {
            @Override
            public void accept(byte[] frame) {
                try {
                    handler.accept(decoder.decode(frame));
                } catch (CodecException e) {
                    log.warn("dropped_" + e.kind().name().toLowerCase(Locale.ROOT), e.getMessage());
                }
            }

            @Override
            public void caughtUp() {
                caughtUp.run();
            }
        };
        receiver = new Receiver("tokenizer-pull", pull, frames).start();
    }

    /**
     * Names this worker to the controller, also in the request stream, whose first message it is. Said again and again
     * there too: JeroMQ may lose what is sent on a connection that has just been made.
     */
    void hello(Hello hello) {
        streamHello = hello;
        controller.send(codec.encode(hello));
        streamGreeted = false;
        greetStream();
    }

    /** A controller that has connected since should hear of this worker at once. */
    void greetNewPeer() {
        if (stream.peersSoFar() != greetedPeers && stream.hasPeer()) {
            greetStream();
        }
    }

    private boolean greetStream() {
        // A controller that was restarted connects anew, and may be here before it has said anything.
        streamGreeted &= stream.peersSoFar() == greetedPeers;
        greetedPeers = stream.peersSoFar();
        if (!streamGreeted && streamHello != null) {
            streamGreeted = stream.send(codec.encode(streamHello));
        }
        return streamGreeted;
    }

    @Override
    public boolean toController(Message message) {
        if (!sglang.mayGoToController(message)) {
            return true;
        }
        if (message instanceof WatchLoadUpdateReq && !sglang.controller()) {
            return controller.send(codec.encode(message)); // not behind the requests that wait in the stream
        }
        boolean sent = (sglang.controller() || greetStream()) && stream.send(codec.encode(message));
        if (!sent) {
            log.warn("controller_unreachable", message.getClass().getSimpleName() + " was not sent");
        }
        return sent;
    }

    /** Not before it has been told who this is: a worker that has just been started may have clients earlier than that. */
    @Override
    public boolean hasController() {
        return isConnected() && (sglang.controller() || greetStream());
    }

    boolean isConnected() {
        return stream.hasPeer();
    }

    @Override
    public void toDetokenizers(Message message) {
        if (sglang.detokenizer()) {
            return;
        }
        byte[] frame = codec.encode(message);
        for (PushSocket detokenizer : detokenizers) {
            // The frame is only read by the sockets, so they may share it.
            if (!detokenizer.send(frame)) {
                log.warn("detokenizer_unreachable", message.getClass().getSimpleName() + " was not sent");
            }
        }
    }

    /** Stops receiving; on another thread than the event loop's. */
    void stopReceiving() {
        if (receiver != null) {
            receiver.close();
        } else {
            pull.close();
        }
    }

    /** Closes the sending sockets; on the event loop's thread. */
    @Override
    public void close() {
        stream.close();
        controller.close();
        detokenizers.forEach(PushSocket::close);
    }

    /** Ends ZeroMQ, last of all. */
    void closeContext() {
        context.close();
    }
}
