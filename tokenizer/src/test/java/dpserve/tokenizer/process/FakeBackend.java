package dpserve.tokenizer.process;

import dpserve.io.Endpoints;
import dpserve.io.codec.CodecException;
import dpserve.io.codec.IntArrayForm;
import dpserve.io.codec.MessageCodec;
import dpserve.io.message.AbortReq;
import dpserve.io.message.BatchStrOutput;
import dpserve.io.message.ControllerHello;
import dpserve.io.message.FinishReason;
import dpserve.io.message.GetInternalStateReq;
import dpserve.io.message.GetInternalStateReqOutput;
import dpserve.io.message.GetLoadReqInput;
import dpserve.io.message.GetLoadReqOutput;
import dpserve.io.message.GetRequestReq;
import dpserve.io.message.GetRequestReqOutput;
import dpserve.io.message.Message;
import dpserve.io.message.RankUp;
import dpserve.io.message.Stamps;
import dpserve.io.message.TokenizedGenerateReqInput;
import dpserve.io.socket.PullSocket;
import dpserve.io.socket.PushSocket;
import dpserve.io.socket.SocketLimits;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import org.zeromq.ZContext;

/**
 * Controller, ranks and detokenizer as one thread: answers each request with its prompt's length in words, one a message,
 * unless its rid begins with {@code hold}.
 */
@SuppressWarnings("try") // closing may be interrupted, as everything in a test
final class FakeBackend implements AutoCloseable {
    private static final long HELLO_INTERVAL_NS = 500_000_000L;

    private final ZContext context = new ZContext();
    private final MessageCodec codec = new MessageCodec(IntArrayForm.INT32);
    private final Endpoints endpoints;
    private final Thread thread = new Thread(this::run, "fake-backend");
    private final Queue<Message> toSend = new ConcurrentLinkedQueue<>();
    private volatile boolean closing;

    /** Everything that came in the request stream. */
    final List<Message> received = new CopyOnWriteArrayList<>();

    FakeBackend(Endpoints endpoints, int ranks) {
        this.endpoints = endpoints;
        toSend.add(new ControllerHello(5, 1));
        for (int r = 0; r < ranks; r++) {
            toSend.add(new RankUp(r, 1, "tcp://127.0.0.1:1", Map.of("max_total_num_tokens", 53_400L), ""));
        }
        thread.start();
    }

    void send(Message message) {
        toSend.add(message);
    }

    <T> List<T> received(Class<T> type) {
        return received.stream().filter(type::isInstance).map(type::cast).toList();
    }

    private void run() {
        try (PullSocket stream =
                        PullSocket.connect(context, endpoints.tokenizerPush().get(0), SocketLimits.defaults());
                PushSocket back =
                        PushSocket.connect(context, endpoints.tokenizerPull().get(0), SocketLimits.defaults())) {
            long helloNs = System.nanoTime();
            while (!closing) {
                if (System.nanoTime() - helloNs >= 0) {
                    toSend.add(new ControllerHello(5, 1));
                    helloNs = System.nanoTime() + HELLO_INTERVAL_NS;
                }
                byte[] frame = stream.receive(10);
                if (frame != null) {
                    Message message = codec.decode(frame);
                    received.add(message);
                    answers(message).forEach(answer -> back.send(codec.encode(answer)));
                }
                for (Message m = toSend.poll(); m != null; m = toSend.poll()) {
                    back.send(codec.encode(m));
                }
            }
        } catch (CodecException e) {
            throw new IllegalStateException(e);
        }
    }

    private static List<Message> answers(Message message) {
        if (message instanceof TokenizedGenerateReqInput request
                && !request.rid().startsWith("hold")) {
            List<Message> outputs = new ArrayList<>();
            int tokens = request.samplingParams().maxNewTokens();
            for (int i = 1; i <= tokens; i++) {
                outputs.add(output(request.rid(), i, i == tokens ? new FinishReason.Length(tokens) : null));
            }
            return outputs;
        }
        if (message instanceof AbortReq abort) {
            return List.of(new AbortReq(abort.rid(), null, false, new FinishReason.Abort("Aborted", null, null), null));
        }
        if (message instanceof GetLoadReqInput call) {
            return List.of(load(0, call), load(1, call));
        }
        if (message instanceof GetRequestReq call) {
            List<Object> decisions = call.userRid().equals("decided only")
                    ? List.of(Map.of("rid", "decided only\u001f9.4.1", "dp_rank", 1))
                    : List.of();
            return List.of(new GetRequestReqOutput(call.rid(), null, "controller", Map.of("decisions", decisions)));
        }
        if (message instanceof GetInternalStateReq call) {
            return List.of(new GetInternalStateReqOutput(
                    call.rid(),
                    null,
                    Map.of(
                            "role",
                            "controller",
                            "index",
                            0,
                            "tables",
                            Map.of("rid_map", 0),
                            "counters",
                            Map.of("requests", 4))));
        }
        return List.of();
    }

    static GetLoadReqOutput load(int rank, GetLoadReqInput call) {
        return new GetLoadReqOutput(
                call.rid(), null, rank, 6, 2, 900, 1.0, 1, 1, 9, 90, 3, 30, 40, 700, 53_400, 520.5, 0.25, 1);
    }

    static BatchStrOutput output(String rid, int completion, FinishReason reason) {
        int[] one = {0};
        return new BatchStrOutput(
                new String[] {rid},
                null,
                new FinishReason[] {reason},
                new String[] {" w" + completion},
                new int[][] {{completion}},
                new int[] {3},
                new int[] {completion},
                one,
                new int[] {2},
                one,
                new Integer[] {1},
                null,
                completion == 1 || reason != null ? new double[][] {stamps(reason != null)} : null,
                null);
    }

    /** A request that took a microsecond for each stage, up to now. */
    private static double[] stamps(boolean finished) {
        double[] stamps = new double[Stamps.COUNT];
        double nowS = System.currentTimeMillis() / 1e3;
        for (int s = 0; s < stamps.length; s++) {
            stamps[s] = s != Stamps.FINISHED || finished ? nowS + s * 1e-6 : 0;
        }
        return stamps;
    }

    @Override
    public void close() throws InterruptedException {
        closing = true;
        thread.join();
        context.close();
    }
}
