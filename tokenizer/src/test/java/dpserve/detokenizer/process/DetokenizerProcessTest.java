package dpserve.detokenizer.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;

import dpserve.detokenizer.WholeText;
import dpserve.io.Endpoints;
import dpserve.io.SimulatedModel;
import dpserve.io.codec.IntArrayForm;
import dpserve.io.codec.MessageCodec;
import dpserve.io.message.BatchStrOutput;
import dpserve.io.message.BatchTokenIDOutput;
import dpserve.io.message.DropState;
import dpserve.io.message.FinishReason;
import dpserve.io.message.GetInternalStateReq;
import dpserve.io.message.GetInternalStateReqOutput;
import dpserve.io.message.GetLoadReqOutput;
import dpserve.io.message.Hello;
import dpserve.io.message.Message;
import dpserve.io.message.Role;
import dpserve.io.message.ShutdownReq;
import dpserve.io.model.Vocabulary;
import dpserve.io.socket.Contexts;
import dpserve.io.socket.PullSocket;
import dpserve.io.socket.PushSocket;
import dpserve.io.socket.SocketLimits;
import dpserve.tokenizer.JtokkitVocabulary;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.zeromq.ZContext;

/** The whole process over loopback, with the test as scheduler, tokenizer workers and controller. */
class DetokenizerProcessTest {
    private static final int PATIENCE_MS = 20_000;
    private static final long MAX_WAITING_BYTES = 1 << 20;
    private static final SocketLimits LIMITS = SocketLimits.defaults();
    private static final String ANY_PORT = "tcp://127.0.0.1:*";
    private static final Vocabulary VOCABULARY = new JtokkitVocabulary();

    private final ZContext context = new ZContext();
    private final MessageCodec codec = new MessageCodec(IntArrayForm.INT32);
    private final AtomicBoolean stop = new AtomicBoolean();
    private final CompletableFuture<String> endpoint = new CompletableFuture<>();
    private final AtomicReference<DetokenizerProcess> running = new AtomicReference<>();
    private PullSocket worker0;
    private PullSocket worker1;
    private PullSocket controller;
    private PushSocket scheduler;
    private Thread process;

    @BeforeEach
    void start() throws Exception {
        worker0 = PullSocket.bind(context, ANY_PORT, LIMITS);
        worker1 = PullSocket.bind(context, ANY_PORT, LIMITS.withQueue(10));
        controller = PullSocket.bind(context, ANY_PORT, LIMITS);
        Endpoints endpoints = new Endpoints(
                List.of(worker0.endpoint(), worker1.endpoint()),
                List.of(ANY_PORT, ANY_PORT),
                List.of(ANY_PORT, ANY_PORT),
                controller.endpoint());
        DetokenizerConfig config = new DetokenizerConfig(1, endpoints, 100, IntArrayForm.INT32, 77, MAX_WAITING_BYTES);
        process = new Thread(() -> run(config));
        process.start();
        scheduler = PushSocket.connect(context, endpoint.get(PATIENCE_MS, TimeUnit.MILLISECONDS), LIMITS);
    }

    private void run(DetokenizerConfig config) {
        try (DetokenizerProcess p = new DetokenizerProcess(config, VOCABULARY, Contexts.create())) {
            running.set(p);
            endpoint.complete(p.endpoint());
            p.run(stop::get);
        } catch (Exception | Error e) {
            endpoint.completeExceptionally(e);
        }
    }

    @AfterEach
    void end() throws Exception {
        endProcess();
        scheduler.close();
        worker0.close();
        worker1.close();
        controller.close();
        context.close();
    }

    private void endProcess() throws Exception {
        stop.set(true);
        running.get().wake();
        process.join(PATIENCE_MS);
        assertThat(process.isAlive()).isFalse();
    }

    @Test
    void shouldTakeNoNoticeOfAWakeUpAfterItsEnd() throws Exception {
        endProcess();
        assertThatCode(() -> running.get().wake()).doesNotThrowAnyException();
    }

    @Test
    void shouldTurnSimulatedTokensIntoTheirTextForTheRightWorker() throws Exception {
        int[] prompt = VOCABULARY.encode("Tell me about the sea 🙂 and é");
        int[] output = SimulatedModel.create().expectedOutput(prompt, 300, 0, true);
        int border = BatchTokenIDOutput.SURROUNDING_TOKENS;
        StringBuilder text = new StringBuilder();
        for (int k = 0; k < output.length; k++) {
            int[] ids = {output[k]};
            if (k == 0) {
                ids = Arrays.copyOfRange(prompt, prompt.length - border, prompt.length + 1);
                ids[border] = output[0];
            }
            boolean last = k == output.length - 1;
            send(batch("r", worker1.endpoint(), ids, output[k], k + 1, last, last ? load(k) : null));
            BatchStrOutput str = (BatchStrOutput) receive(worker1);
            text.append(str.outputStrs()[0]);
            assertThat(str.outputIds()[0]).containsExactly(output[k]);
            assertThat(str.completionTokens()).containsExactly(k + 1);
            assertThat(str.load() != null).isEqualTo(last);
        }

        assertThat(text.toString()).isEqualTo(WholeText.reply(VOCABULARY, prompt, output, true));
        assertThat(tables()).isEqualTo(Map.of("states", 0L));
    }

    @Test
    void shouldPassAnIdleReportOnToWorkerZero() throws Exception {
        send(new BatchTokenIDOutput(
                new String[0],
                new String[0],
                new FinishReason[0],
                new String[0],
                new int[0][],
                new int[0],
                new int[0][],
                new boolean[0],
                new boolean[0],
                new boolean[0],
                new int[0],
                new int[0],
                new int[0],
                new int[0],
                new int[0],
                new Integer[0],
                load(9)));

        BatchStrOutput idle = (BatchStrOutput) receive(worker0);
        assertThat(idle.size()).isZero();
        assertThat(idle.load().numTokens()).isEqualTo(9);
    }

    @Test
    void shouldServeOthersWhileAWorkerStandsStillAndThenGiveItWhatHadRoom() throws Exception {
        int[] many = new int[2_000]; // 10 kB, so that not so many are needed
        Arrays.fill(many, 1_000_000);
        int sent = 0;
        while (dropped() == 0) {
            for (int i = 0; i < 50; i++) {
                sent++;
                send(batch("r", worker1.endpoint(), new int[] {1}, many, sent, false, null));
            }
        }
        long taken = sent - dropped();
        int last = 0;
        for (int i = 0; i < taken; i++) {
            int completion = ((BatchStrOutput) receive(worker1)).completionTokens()[0];
            assertThat(completion).isGreaterThan(last);
            last = completion;
        }
        send(batch("r", worker1.endpoint(), new int[] {1}, many, sent + 1, true, null));
        assertThat(((BatchStrOutput) receive(worker1)).completionTokens()).containsExactly(sent + 1);
    }

    private long dropped() throws Exception {
        Map<?, ?> counters = (Map<?, ?>) state().internalState().get("counters");
        return counters.get("worker_queue_full") instanceof Number n ? n.longValue() : 0;
    }

    @Test
    void shouldSurviveFramesThatAreNoMessages() throws Exception {
        scheduler.send(new byte[0]);
        scheduler.send("nonsense".getBytes(StandardCharsets.UTF_8));
        scheduler.send(new byte[] {(byte) 0x92, (byte) 0xa1, 'X', 1});
        byte[] cut = codec.encode(batch("r", worker0.endpoint(), new int[] {1}, 1, 1, true, null));
        scheduler.send(Arrays.copyOf(cut, cut.length / 2));
        send(new ShutdownReq("x", null));
        send(batch("r", "tcp://127.0.0.1:9", new int[] {1}, 1, 1, true, null));

        GetInternalStateReqOutput state = state();
        Map<?, ?> counters = (Map<?, ?>) state.internalState().get("counters");
        assertThat(counters.keySet())
                .map(Object::toString)
                .contains("unexpected_message", "unknown_worker_endpoint")
                .anyMatch(kind -> kind.startsWith("bad_frame_"));
    }

    @Test
    void shouldForgetDroppedRequestsAndSayWhatItHolds() throws Exception {
        send(batch("gone", worker0.endpoint(), new int[] {1}, 1, 1, false, null));
        send(batch("kept", worker0.endpoint(), new int[] {1}, 1, 1, false, null));
        receive(worker0);
        receive(worker0);
        assertThat(tables()).isEqualTo(Map.of("states", 2L));

        send(new DropState(new String[] {"gone"}));

        GetInternalStateReqOutput state = state();
        assertThat(state.internalState())
                .containsEntry("role", "detokenizer")
                .containsEntry("index", 1L)
                .containsEntry("incarnation", 77L)
                .containsEntry("tables", Map.of("states", 1L))
                .containsEntry("endpoints", Map.of("pull", endpoint.join()));
    }

    @Test
    void shouldTellTheControllerThatItIsThere() throws Exception {
        Hello first = (Hello) receive(controller);
        Hello second = (Hello) receive(controller);

        assertThat(first.role()).isEqualTo(Role.DETOKENIZER);
        assertThat(first.index()).isEqualTo(1);
        assertThat(first.incarnation()).isEqualTo(77);
        assertThat(first.endpoints()).containsEntry(Hello.PULL, endpoint.join());
        assertThat(second.incarnation()).isEqualTo(77);
    }

    private Object tables() throws Exception {
        return state().internalState().get("tables");
    }

    private GetInternalStateReqOutput state() throws Exception {
        send(new GetInternalStateReq("call", worker0.endpoint()));
        GetInternalStateReqOutput answer = (GetInternalStateReqOutput) receive(worker0);
        assertThat(answer.rid()).isEqualTo("call");
        return answer;
    }

    private void send(Message message) {
        assertThat(scheduler.send(codec.encode(message))).isTrue();
    }

    private Message receive(PullSocket socket) throws Exception {
        byte[] frame = socket.receive(PATIENCE_MS);
        assertThat(frame).isNotNull();
        return codec.decode(frame);
    }

    private static GetLoadReqOutput load(int numTokens) {
        return GetLoadReqOutput.legacy(3, 1, 0, numTokens, 0.5);
    }

    private static BatchTokenIDOutput batch(
            String rid,
            String ipc,
            int[] decodeIds,
            int outputId,
            int completion,
            boolean last,
            GetLoadReqOutput load) {
        return batch(rid, ipc, decodeIds, new int[] {outputId}, completion, last, load);
    }

    private static BatchTokenIDOutput batch(
            String rid,
            String ipc,
            int[] decodeIds,
            int[] outputIds,
            int completion,
            boolean last,
            GetLoadReqOutput load) {
        return new BatchTokenIDOutput(
                new String[] {rid},
                new String[] {ipc},
                new FinishReason[] {last ? new FinishReason.Length(completion) : null},
                new String[] {""},
                new int[][] {decodeIds},
                new int[] {decodeIds.length - 1},
                new int[][] {outputIds},
                new boolean[] {true},
                new boolean[] {true},
                new boolean[] {false},
                new int[] {20},
                new int[] {0},
                new int[] {completion},
                new int[] {0},
                new int[] {0},
                new Integer[] {3},
                load);
    }
}
