package dpserve.scheduler.process;

import static org.assertj.core.api.Assertions.assertThat;

import dpserve.io.Endpoints;
import dpserve.io.LoadReport;
import dpserve.io.SimulatedModel;
import dpserve.io.WireRid;
import dpserve.io.codec.CodecException;
import dpserve.io.codec.IntArrayForm;
import dpserve.io.codec.MessageCodec;
import dpserve.io.message.AbortReq;
import dpserve.io.message.BatchTokenIDOutput;
import dpserve.io.message.ControllerHello;
import dpserve.io.message.EndNotice;
import dpserve.io.message.Fenced;
import dpserve.io.message.FinishReason;
import dpserve.io.message.GetInternalStateReq;
import dpserve.io.message.GetInternalStateReqOutput;
import dpserve.io.message.Heartbeat;
import dpserve.io.message.Hello;
import dpserve.io.message.Message;
import dpserve.io.message.Role;
import dpserve.io.message.SamplingParams;
import dpserve.io.message.ShutdownReq;
import dpserve.io.message.TokenizedGenerateReqInput;
import dpserve.io.socket.Contexts;
import dpserve.io.socket.PullSocket;
import dpserve.io.socket.PushSocket;
import dpserve.io.socket.SocketLimits;
import dpserve.scheduler.EngineProfile;
import dpserve.scheduler.SchedulePolicy;
import dpserve.scheduler.SchedulerConfig;
import dpserve.scheduler.SimulatedEngine;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Predicate;
import java.util.zip.CRC32;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.zeromq.ZContext;

/** The process over loopback, with this test in the place of controller, detokenizers and tokenizer worker. */
@Timeout(60)
class SchedulerProcessTest {
    private static final int DP_RANK = 1;
    private static final int WAIT_MS = 10_000;
    private static final SimulatedModel MODEL = SimulatedModel.create();

    private final ZContext context = new ZContext();
    private final MessageCodec codec = new MessageCodec(IntArrayForm.INT32);
    private final AtomicBoolean stop = new AtomicBoolean();
    private final AtomicReference<Throwable> failure = new AtomicReference<>();
    private final List<PushSocket> inputs = new ArrayList<>();
    private PullSocket controller;
    private PullSocket worker;
    private List<PullSocket> detokenizers;
    private Thread thread;
    private Hello hello;
    private PushSocket input;

    @BeforeEach
    void listen() throws Exception {
        controller = pull();
        worker = pull();
        detokenizers = List.of(pull(), pull());
    }

    @AfterEach
    void close() throws Exception {
        stop.set(true);
        if (thread != null) {
            thread.join();
        }
        inputs.forEach(PushSocket::closeNow);
        controller.close();
        worker.close();
        detokenizers.forEach(PullSocket::close);
        context.close();
        assertThat(failure.get()).isNull();
    }

    private PullSocket pull() throws Exception {
        return PullSocket.bind(context, "tcp://127.0.0.1:*", SocketLimits.defaults());
    }

    private void start(double timeScale) throws Exception {
        Endpoints endpoints = new Endpoints(
                List.of(worker.endpoint()),
                List.of("tcp://127.0.0.1:1"),
                detokenizers.stream().map(PullSocket::endpoint).toList(),
                controller.endpoint());
        SchedulerConfig core = new SchedulerConfig(
                DP_RANK, 2, 4000, 2000, 64, 1000, 16_384, 8192, SchedulePolicy.FCFS, 1.0, false, 1, 50, 4096, 40);
        RankConfig config = new RankConfig(
                core,
                endpoints,
                "tcp://127.0.0.1:*",
                IntArrayForm.INT32,
                timeScale,
                20,
                false,
                null,
                false,
                LoadReport.PIGGYBACK,
                null);
        CountDownLatch ready = new CountDownLatch(1);
        thread = new Thread(() -> {
            try (SchedulerProcess process = new SchedulerProcess(
                    config, new SimulatedEngine(MODEL, EngineProfile.defaultProfile()), Contexts.create())) {
                ready.countDown();
                process.run(stop::get);
            } catch (Throwable e) {
                failure.set(e);
            }
        });
        thread.start();
        assertThat(ready.await(WAIT_MS, TimeUnit.MILLISECONDS)).isTrue();
        hello = await(controller, Hello.class, h -> true);
        connect();
    }

    private void connect() {
        input = PushSocket.connect(context, hello.endpoints().get(Hello.INPUT), SocketLimits.defaults());
        inputs.add(input);
    }

    private void send(Message message) {
        assertThat(input.send(codec.encode(message))).isTrue();
    }

    private void request(String rid, int[] prompt, int maxNewTokens) {
        SamplingParams p = SamplingParams.greedy(maxNewTokens);
        send(TokenizedGenerateReqInput.of(rid, worker.endpoint(), prompt, p, true));
    }

    /** The next message of a kind that fits; others are passed over. */
    private <T extends Message> T await(PullSocket socket, Class<T> type, Predicate<T> fits) throws CodecException {
        long deadlineNs = System.nanoTime() + WAIT_MS * 1_000_000L;
        while (System.nanoTime() < deadlineNs) {
            byte[] frame = socket.receive(WAIT_MS);
            Message message = frame == null ? null : codec.decode(frame);
            if (type.isInstance(message) && fits.test(type.cast(message))) {
                return type.cast(message);
            }
        }
        throw new AssertionError("no " + type.getSimpleName() + " in time");
    }

    private GetInternalStateReqOutput state() throws CodecException {
        send(new GetInternalStateReq("state", worker.endpoint()));
        return await(worker, GetInternalStateReqOutput.class, s -> true);
    }

    @SuppressWarnings("unchecked")
    private static Map<String, Object> map(GetInternalStateReqOutput state, String name) {
        return (Map<String, Object>) state.internalState().get(name);
    }

    private static int[] prompt(int i) {
        return new int[] {i, i + 1, i + 2, 7 * i};
    }

    @Test
    void shouldRegisterAndGiveEveryTokenOfManyRequests() throws Exception {
        start(0);
        assertThat(hello.role()).isEqualTo(Role.SCHEDULER);
        assertThat(hello.index()).isEqualTo(DP_RANK);
        assertThat(hello.info())
                .containsEntry(Hello.MAX_TOTAL_NUM_TOKENS, 4000L)
                .containsEntry(Hello.MAX_REQ_INPUT_LEN, 1994L)
                .containsEntry("context_length", 2000L);
        int count = 300;
        for (int i = 0; i < count; i++) {
            request("r" + i, prompt(i), 1 + i % 40);
        }
        Map<String, int[]> ids = new HashMap<>();
        int ended = 0;
        while (ended < count) {
            for (PullSocket detokenizer : detokenizers) {
                byte[] frame = detokenizer.receive(1);
                if (frame == null) {
                    continue;
                }
                BatchTokenIDOutput part = (BatchTokenIDOutput) codec.decode(frame);
                for (int i = 0; i < part.size(); i++) {
                    int[] news = part.outputIds()[i];
                    ids.merge(part.rids()[i], news, (a, b) -> {
                        int[] both = Arrays.copyOf(a, a.length + b.length);
                        System.arraycopy(b, 0, both, a.length, b.length);
                        return both;
                    });
                    ended += part.finishedReasons()[i] == null ? 0 : 1;
                }
            }
        }
        for (int i = 0; i < count; i++) {
            assertThat(ids.get("r" + i)).isEqualTo(MODEL.expectedOutput(prompt(i), 1 + i % 40, 0, false));
        }
        GetInternalStateReqOutput state = state();
        map(state, "tables").forEach((name, size) -> assertThat(size).as(name).isEqualTo(0L));
        assertThat(map(state, "counters"))
                .containsEntry("self_check_failures", 0L)
                .containsEntry("received_reqs", 300L);
        assertThat(state.internalState())
                .containsEntry("role", "scheduler")
                .containsEntry("incarnation", hello.incarnation());
        assertThat(map(state, "endpoints"))
                .containsEntry("input", hello.endpoints().get(Hello.INPUT));
    }

    @Test
    void shouldSurviveFramesThatAreNoMessagesAndMessagesForOthers() throws Exception {
        start(0);
        input.send(new byte[] {1, 2, 3});
        input.send(new byte[0]);
        send(new EndNotice(new String[] {"x"}));
        send(TokenizedGenerateReqInput.of("far", "tcp://10.0.0.1:9", new int[0], SamplingParams.greedy(1), true));
        Map<String, Object> counters = map(state(), "counters");
        assertThat(counters).containsEntry("unexpected_message", 1L).containsEntry("unknown_http_worker_ipc", 1L);
        assertThat(counters.keySet().stream().filter(k -> k.startsWith("bad_frame_")))
                .isNotEmpty();
    }

    @Test
    void shouldBeatWithWhatItHoldsDuringALongStep() throws Exception {
        // A decode step takes 40 ms of modelled time; at this scale 400 ms: it spans many heartbeats.
        start(10);
        request("long", prompt(1), 40);
        Heartbeat beat = await(controller, Heartbeat.class, b -> b.heldCount() == 1 && b.step() > 0);
        assertThat(beat.dpRank()).isEqualTo(DP_RANK);
        assertThat(beat.incarnation()).isEqualTo(hello.incarnation());
        assertThat(beat.inputEndpoint()).isEqualTo(hello.endpoints().get(Hello.INPUT));
        assertThat(beat.heldHash()).isEqualTo(WireRid.hash64("long"));
        assertThat(beat.load().numReqs()).isEqualTo(1);
        long[] last = {-1};
        await(controller, Heartbeat.class, b -> {
            boolean sameStep = b.step() == last[0];
            last[0] = b.step();
            return sameStep;
        });
    }

    @Test
    void shouldRepeatAHeartbeatWhileNothingChanges() throws Exception {
        start(10);
        Set<Heartbeat> seen = new HashSet<>();
        await(controller, Heartbeat.class, b -> !seen.add(b));
        request("one", prompt(1), 40);
        Heartbeat busy = await(controller, Heartbeat.class, b -> b.heldCount() == 1 && b.step() > 0);
        assertThat(busy.load().numReqs())
                .as("the load is of now, not of the idle time")
                .isEqualTo(1);
    }

    @Test
    void shouldTakeAsLongAsTheModelledDevice() throws Exception {
        start(0.1);
        long startNs = System.nanoTime();
        request("a", prompt(1), 41);
        PullSocket detokenizer = detokenizerOf("a");
        await(detokenizer, BatchTokenIDOutput.class, p -> p.size() == 1 && p.finishedReasons()[0] != null);
        // One prefill of 15.2 ms and 40 decode steps of 40.15 ms, at a tenth.
        assertThat((System.nanoTime() - startNs) / 1e6).isBetween(162.0, 2000.0);
    }

    private PullSocket detokenizerOf(String rid) {
        CRC32 crc = new CRC32();
        crc.update(rid.getBytes(StandardCharsets.UTF_8));
        return detokenizers.get((int) (crc.getValue() % 2));
    }

    @Test
    void shouldTakeAnAbortWhileItsRequestRuns() throws Exception {
        start(0.05);
        request("a", prompt(1), 1900);
        PullSocket detokenizer = detokenizerOf("a");
        await(detokenizer, BatchTokenIDOutput.class, p -> p.size() == 1);
        send(AbortReq.of("a", worker.endpoint()));
        BatchTokenIDOutput end =
                await(detokenizer, BatchTokenIDOutput.class, p -> p.size() == 1 && p.finishedReasons()[0] != null);
        assertThat(end.finishedReasons()[0]).isEqualTo(new FinishReason.Abort("Aborted", null, null));
    }

    @Test
    void shouldRegisterOnceMoreForItsFirstControllerAndAnewForASecond() throws Exception {
        start(10);
        send(new ControllerHello(10, Hello.PROTOCOL_VERSION));
        Hello again = await(controller, Hello.class, h -> true);
        assertThat(again.incarnation()).isEqualTo(hello.incarnation());
        assertThat(again.endpoints()).isEqualTo(hello.endpoints());

        request("held", prompt(1), 40);
        await(controller, Heartbeat.class, b -> b.heldCount() == 1);
        send(new ControllerHello(10, Hello.PROTOCOL_VERSION));
        Hello repeated = await(controller, Hello.class, h -> true);
        assertThat(repeated.incarnation()).as("its registration got lost").isEqualTo(hello.incarnation());
        request("late", prompt(2), 40);
        send(new ControllerHello(11, Hello.PROTOCOL_VERSION));
        Hello anew = await(controller, Hello.class, h -> true);
        assertThat(anew.incarnation()).isGreaterThan(hello.incarnation());
        assertThat(anew.endpoints().get(Hello.INPUT))
                .isNotEqualTo(hello.endpoints().get(Hello.INPUT));
        assertThat(anew.heldRids()).containsExactly("held", "late");
        assertThat(anew.info())
                .containsEntry(Hello.RECEIVED_REQS, 2L)
                .containsEntry(Hello.RECEIVED_TOKENS, (long) prompt(1).length + prompt(2).length);
        Heartbeat beat = await(controller, Heartbeat.class, b -> b.incarnation() == anew.incarnation());
        assertThat(beat.load().receivedReqs()).isEqualTo(2);
        assertThat(beat.load().endedReqs()).isZero();
    }

    @Test
    void shouldDropEverythingAndRegisterAnewWhenFenced() throws Exception {
        start(10);
        request("held", prompt(1), 40);
        await(controller, Heartbeat.class, b -> b.heldCount() == 1);
        send(new Fenced(DP_RANK, hello.incarnation() - 1));
        send(new Fenced(DP_RANK, hello.incarnation()));
        Hello anew = await(controller, Hello.class, h -> true);
        assertThat(anew.incarnation()).isGreaterThan(hello.incarnation());
        assertThat(anew.heldRids()).isEmpty();
        hello = anew;
        connect();
        GetInternalStateReqOutput state = state();
        map(state, "tables").forEach((name, size) -> assertThat(size).as(name).isEqualTo(0L));
        assertThat(map(state, "counters")).containsEntry("fenced", 1L);
    }

    @Test
    void shouldEndOnAShutdownRequest() throws Exception {
        start(0);
        send(new ShutdownReq("x", null));
        thread.join(WAIT_MS);
        assertThat(thread.isAlive()).isFalse();
    }
}
