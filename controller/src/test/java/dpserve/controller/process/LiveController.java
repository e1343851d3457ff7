package dpserve.controller.process;

import dpserve.controller.ControllerConfig;
import dpserve.io.LoadReport;
import dpserve.io.codec.CodecException;
import dpserve.io.codec.IntArrayForm;
import dpserve.io.codec.MessageCodec;
import dpserve.io.message.GetInternalStateReq;
import dpserve.io.message.GetInternalStateReqOutput;
import dpserve.io.message.GetLoadReqOutput;
import dpserve.io.message.Heartbeat;
import dpserve.io.message.Hello;
import dpserve.io.message.Message;
import dpserve.io.message.Role;
import dpserve.io.socket.BindException;
import dpserve.io.socket.Contexts;
import dpserve.io.socket.PullSocket;
import dpserve.io.socket.PushSocket;
import dpserve.io.socket.SocketLimits;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.zeromq.ZContext;

/** The real process on its own thread, with peers that the test plays over loopback sockets. */
final class LiveController implements AutoCloseable {
    /** Longest wait for anything; only a failing test waits so long. */
    private static final long DEADLINE_MS = 10_000;

    private static final int PID = 1;

    final ZContext context = new ZContext();
    final List<Worker> workers = new ArrayList<>();
    final ControllerProcess process;
    private final Thread thread;
    private final MessageCodec codec = new MessageCodec(IntArrayForm.INT32);
    private volatile boolean stop;
    private PushSocket direct;

    /** A topology of Java peers. */
    LiveController(int dpSize, int workerCount, String method) throws BindException {
        for (int w = 0; w < workerCount; w++) {
            workers.add(new Worker(w));
        }
        process = new ControllerProcess(
                new ProcessConfig(
                        core(
                                dpSize,
                                0,
                                workers.stream().map(w -> w.pull.endpoint()).toList()),
                        workers.stream().map(w -> w.push.endpoint()).toList(),
                        List.of(),
                        List.of(),
                        "tcp://127.0.0.1:*",
                        method,
                        LoadReport.PIGGYBACK,
                        null,
                        0,
                        1.0,
                        1),
                Contexts.create());
        thread = start();
        direct = PushSocket.connect(context, process.endpoint(), SocketLimits.defaults());
    }

    /** Alone: one input, legacy ranks, nothing else. */
    LiveController(int legacyRanks, PushSocket input, String method) throws BindException {
        process = new ControllerProcess(
                new ProcessConfig(
                        core(legacyRanks, legacyRanks, List.of()),
                        List.of(),
                        List.of(input.endpoint()),
                        java.util.Collections.nCopies(legacyRanks, "tcp://127.0.0.1:*"),
                        null,
                        method,
                        LoadReport.PIGGYBACK,
                        null,
                        0,
                        1.0,
                        1),
                Contexts.create());
        thread = start();
    }

    private Thread start() {
        Thread t = new Thread(
                () -> {
                    try (process) {
                        process.run(() -> stop);
                    }
                },
                "controller");
        t.start();
        return t;
    }

    private static ControllerConfig core(int dpSize, int legacyRanks, List<String> pulls) {
        return new ControllerConfig(
                dpSize, legacyRanks, pulls, 900, PID, 800_000_000L, 5_000_000_000L, ControllerConfig.Limits.DEFAULT);
    }

    byte[] encode(Message message) {
        return codec.encode(message);
    }

    void sendDirect(Message message) {
        direct.send(encode(message));
    }

    /** Waits for a message of this type; others are passed over. */
    <M extends Message> M await(PullSocket pull, Class<M> type) {
        long deadline = System.nanoTime() + DEADLINE_MS * 1_000_000;
        while (System.nanoTime() < deadline) {
            byte[] frame = pull.receive(100);
            if (frame != null) {
                Message message = decode(frame);
                if (type.isInstance(message)) {
                    return type.cast(message);
                }
            }
        }
        throw new AssertionError("no " + type.getSimpleName() + " within " + DEADLINE_MS + " ms");
    }

    /** Waits for any frame. */
    byte[] awaitFrame(PullSocket pull) {
        byte[] frame = pull.receive((int) DEADLINE_MS);
        if (frame == null) {
            throw new AssertionError("no frame within " + DEADLINE_MS + " ms");
        }
        return frame;
    }

    Message decode(byte[] frame) {
        try {
            return codec.decode(frame);
        } catch (CodecException e) {
            throw new AssertionError(e);
        }
    }

    /** The controller's own state, asked for by a worker; everything sent by it before has been handled then. */
    Map<String, Object> state(int worker) {
        Worker w = workers.get(worker);
        w.send(new GetInternalStateReq("state", w.pull.endpoint()));
        return await(w.pull, GetInternalStateReqOutput.class).internalState();
    }

    /** A figure of {@code counters} or {@code tables}. */
    static long figure(Map<String, Object> state, String group, String name) {
        return ((Number) ((Map<?, ?>) state.get(group)).get(name)).longValue();
    }

    @Override
    public void close() {
        stop = true;
        try {
            thread.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        context.close();
    }

    /** A tokenizer worker: its PULL and its request stream. */
    final class Worker {
        final int index;
        final long incarnation;
        final PullSocket pull;
        final PushSocket push;

        private Worker(int index) throws BindException {
            this.index = index;
            this.incarnation = 100 + index;
            this.pull = PullSocket.bind(context, "tcp://127.0.0.1:*", SocketLimits.defaults());
            this.push = PushSocket.bind(context, "tcp://127.0.0.1:*", SocketLimits.defaults());
        }

        void sayHello() {
            Map<String, String> endpoints = Map.of(Hello.PULL, pull.endpoint(), Hello.PUSH, push.endpoint());
            send(new Hello(
                    Role.TOKENIZER,
                    index,
                    incarnation,
                    endpoints,
                    Hello.PROTOCOL_VERSION,
                    PID,
                    Map.of(),
                    new String[0]));
        }

        void send(Message message) {
            send(encode(message));
        }

        /** Waits for the controller to connect. */
        void send(byte[] frame) {
            sendWhenConnected(push, frame);
        }
    }

    static void sendWhenConnected(PushSocket push, byte[] frame) {
        long deadline = System.nanoTime() + DEADLINE_MS * 1_000_000;
        while (!push.send(frame)) {
            if (System.nanoTime() > deadline) {
                throw new AssertionError("the controller did not connect");
            }
            Thread.onSpinWait();
        }
    }

    /** A rank: registers, beats from a thread of its own until killed, and reads its input. */
    final class Rank implements AutoCloseable {
        final int dpRank;
        final long incarnation;
        final PullSocket input;
        private final ScheduledExecutorService heart = Executors.newSingleThreadScheduledExecutor();

        Rank(int dpRank, long incarnation) throws BindException {
            this.dpRank = dpRank;
            this.incarnation = incarnation;
            this.input = PullSocket.bind(context, "tcp://127.0.0.1:*", SocketLimits.defaults());
            String endpoint = input.endpoint();
            sendDirect(new Hello(
                    Role.SCHEDULER,
                    dpRank,
                    incarnation,
                    Map.of(Hello.INPUT, endpoint),
                    Hello.PROTOCOL_VERSION,
                    PID,
                    Map.of(),
                    new String[0]));
            PushSocket beats = PushSocket.connect(context, process.endpoint(), SocketLimits.defaults());
            byte[] beat = new MessageCodec(IntArrayForm.INT32)
                    .encode(new Heartbeat(dpRank, incarnation, endpoint, 0, 0, 0, null));
            heart.scheduleAtFixedRate(() -> beats.send(beat.clone()), 0, 200, TimeUnit.MILLISECONDS);
        }

        GetLoadReqOutput report(long seq, int numReqs) {
            return new GetLoadReqOutput(
                    null, null, dpRank, numReqs, 0, 0, 1.0, incarnation, seq, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
        }

        void kill() {
            heart.shutdownNow();
        }

        @Override
        public void close() {
            kill();
        }
    }
}
