package dpserve.detokenizer.process;

import dpserve.detokenizer.Detokenizer;
import dpserve.detokenizer.WorkerSplit;
import dpserve.io.LogLimiter;
import dpserve.io.codec.CodecException;
import dpserve.io.codec.MessageCodec;
import dpserve.io.message.BatchTokenIDOutput;
import dpserve.io.message.DropState;
import dpserve.io.message.GetInternalStateReq;
import dpserve.io.message.GetInternalStateReqOutput;
import dpserve.io.message.Hello;
import dpserve.io.message.Message;
import dpserve.io.message.Role;
import dpserve.io.model.Vocabulary;
import dpserve.io.process.EpochClock;
import dpserve.io.socket.BindException;
import dpserve.io.socket.Outbox;
import dpserve.io.socket.PullSocket;
import dpserve.io.socket.PushSocket;
import dpserve.io.socket.SocketLimits;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.zeromq.ZContext;

/**
 * The detokenizer around its core: one thread that owns the PULL, a PUSH to each tokenizer worker and one to the
 * controller, and does everything in order. A frame that is not understood costs that frame only.
 */
final class DetokenizerProcess implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(DetokenizerProcess.class);

    /** How often the controller hears of this process (docs/protocol.md section 2). */
    private static final long HELLO_INTERVAL_NS = 1_000_000_000L;

    /** Frames of each rank that wait for this process: as many steps, so seconds. The rank keeps the others, by their bytes. */
    private static final int INPUT_QUEUE = Outbox.SOCKET_QUEUE_MESSAGES;

    /** How often what a worker did not take is offered again while nothing else happens. */
    private static final int FLUSH_MS = 5;

    /** Frames taken without looking at the clock. */
    private static final int MAX_DRAIN = 256;

    /** Hellos that wait for a controller that is not there; older ones say nothing that a new one does not. */
    private static final int HELLO_QUEUE = 4;

    private final DetokenizerConfig config;
    private final ZContext context;
    private final PullSocket pull;
    private final List<PushSocket> workers = new ArrayList<>();
    private final Outbox outbox;
    private final PushSocket controller;
    private final MessageCodec codec;
    private final LogLimiter limiter = new LogLimiter(LOG);
    private final EpochClock clock = EpochClock.start();
    private final Detokenizer detokenizer;
    private final WorkerSplit split;
    private boolean closed;
    private long batches;
    private long tokens;

    /**
     * Listens and connects.
     *
     * @throws BindException if its port is in use
     */
    DetokenizerProcess(DetokenizerConfig config, Vocabulary vocabulary, ZContext context) throws BindException {
        this.context = context;
        this.config = config;
        this.codec = new MessageCodec(config.tokenIdForm());
        SocketLimits limits = SocketLimits.defaults();
        try {
            this.pull = PullSocket.bind(context, config.endpoint(), limits.withQueue(INPUT_QUEUE));
        } catch (BindException e) {
            context.close();
            throw e;
        }
        this.outbox = new Outbox(config.maxWaitingBytes());
        for (String endpoint : config.endpoints().tokenizerPull()) {
            PushSocket worker = PushSocket.connect(context, endpoint, limits.withQueue(Outbox.SOCKET_QUEUE_MESSAGES));
            workers.add(worker);
            outbox.add(worker::send);
        }
        this.controller = PushSocket.connect(
                context,
                config.endpoints().controller(),
                new SocketLimits(HELLO_QUEUE, SocketLimits.DEFAULT_MAX_FRAME_BYTES, 0));
        this.detokenizer = new Detokenizer(vocabulary, config.maxStates(), limiter::warn);
        this.split = new WorkerSplit(config.endpoints().tokenizerPull(), limiter::warn);
    }

    /** Where it listens, with the port it really has. */
    String endpoint() {
        return pull.endpoint();
    }

    /** Serves until asked to end, and then what has arrived by then. */
    void run(BooleanSupplier stopRequested) {
        long nextHelloNs = System.nanoTime();
        while (!stopRequested.getAsBoolean()) {
            long nowNs = System.nanoTime();
            if (nowNs - nextHelloNs >= 0) {
                sayHello();
                nextHelloNs = nowNs + HELLO_INTERVAL_NS;
            }
            int untilHelloMs = 1 + (int) TimeUnit.NANOSECONDS.toMillis(nextHelloNs - nowNs);
            byte[] frame = pull.receive(outbox.flush() ? untilHelloMs : Math.min(untilHelloMs, FLUSH_MS));
            for (int taken = 0; frame != null; taken++) {
                handle(frame);
                frame = taken < MAX_DRAIN ? pull.receive(0) : null;
            }
        }
        finish();
    }

    /** What has arrived, and what the workers take of it, for as long as a closing socket tries; the rest goes on as new attempts. */
    private void finish() {
        long endNs = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(SocketLimits.DEFAULT_LINGER_MS);
        // Twice nothing: one may be the wake-up that came too late to be needed.
        for (int silent = 0; silent < 2 && System.nanoTime() - endNs < 0; ) {
            byte[] frame = pull.receive(FLUSH_MS);
            if (frame == null) {
                silent++;
            } else {
                handle(frame);
            }
        }
        while (!outbox.flush() && System.nanoTime() - endNs < 0) {
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(FLUSH_MS));
        }
    }

    /** Makes an idle loop look whether it was asked to end; callable from any thread, at any time. */
    synchronized void wake() {
        if (!closed) {
            pull.wake();
        }
    }

    private void handle(byte[] frame) {
        try {
            Message message = codec.decode(frame);
            if (message instanceof BatchTokenIDOutput batch) {
                onBatch(batch);
            } else if (message instanceof DropState drop) {
                detokenizer.drop(drop.rids());
            } else if (message instanceof Hello hello && hello.role() == Role.TOKENIZER) {
                detokenizer.onWorker(hello.endpoints().getOrDefault(Hello.PULL, ""), hello.incarnation());
            } else if (message instanceof GetInternalStateReq call) {
                onStateCall(call);
            } else {
                limiter.warn("unexpected_message", message.getClass().getSimpleName());
            }
        } catch (CodecException e) {
            limiter.warn("bad_frame_" + e.kind().name().toLowerCase(java.util.Locale.ROOT), e.getMessage());
        } catch (RuntimeException e) {
            limiter.warn("failed_frame", "a frame of " + frame.length + " bytes was dropped: " + e);
        }
    }

    private void onBatch(BatchTokenIDOutput batch) {
        batches++;
        for (int[] ids : batch.decodeIds()) {
            tokens += ids.length;
        }
        String[] texts = detokenizer.decode(batch);
        split.split(batch, texts, clock.now(), (part, worker) -> send(worker, part));
    }

    private void onStateCall(GetInternalStateReq call) {
        int worker = split.worker(call.httpWorkerIpc());
        if (worker >= 0) {
            send(worker, new GetInternalStateReqOutput(call.rid(), call.httpWorkerIpc(), internalState()));
        }
    }

    private Map<String, Object> internalState() {
        Map<String, Object> counters = new LinkedHashMap<>();
        counters.put("batches", batches);
        counters.put("tokens", tokens);
        counters.putAll(limiter.totals());
        Map<String, Object> state = new LinkedHashMap<>();
        state.put("role", Role.DETOKENIZER.wireName());
        state.put("index", (long) config.index());
        state.put("pid", ProcessHandle.current().pid());
        state.put("incarnation", config.incarnation());
        state.put("tables", Map.of("states", (long) detokenizer.states()));
        state.put("counters", counters);
        state.put("endpoints", Map.of(Hello.PULL, endpoint()));
        return state;
    }

    private void sayHello() {
        Hello hello = new Hello(
                Role.DETOKENIZER,
                config.index(),
                config.incarnation(),
                Map.of(Hello.PULL, endpoint()),
                Hello.PROTOCOL_VERSION,
                ProcessHandle.current().pid(),
                Map.of(),
                new String[0]);
        controller.send(codec.encode(hello));
    }

    private void send(int worker, Message message) {
        if (!outbox.send(worker, codec.encode(message))) {
            // The worker sees the gap in completion_tokens; waiting here would stop every other worker too.
            limiter.warn("worker_queue_full", "a message to tokenizer worker " + worker + " was dropped");
        }
    }

    /** To be called by the thread that ran it. */
    @Override
    public void close() {
        synchronized (this) {
            closed = true;
        }
        pull.close();
        workers.forEach(PushSocket::close);
        controller.closeNow();
        context.close();
    }
}
