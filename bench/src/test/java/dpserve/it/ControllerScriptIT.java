package dpserve.it;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dpserve.io.codec.IntArrayForm;
import dpserve.io.codec.MessageCodec;
import dpserve.io.message.GetLoadReqOutput;
import dpserve.io.message.Message;
import dpserve.io.message.SamplingParams;
import dpserve.io.message.TokenizedGenerateReqInput;
import dpserve.io.message.WatchLoadUpdateReq;
import dpserve.io.socket.Contexts;
import dpserve.io.socket.PullSocket;
import dpserve.io.socket.PushSocket;
import dpserve.io.socket.SocketLimits;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.zeromq.ZContext;

/** scripts/controller.sh with no other process of this project: a PUSH and two PULLs that never say hello. */
class ControllerScriptIT {
    private static final Duration START = Duration.ofSeconds(30);
    private static final Duration SOON = Duration.ofSeconds(10);
    private static final int ENDED_BY_TERM = 143;
    private static final int RECEIVE_MS = 200;
    private static final int PROMPT_TOKENS = 500;
    private static final int BUSY_TOKENS = 10_000;
    private static final String LOOPBACK = "tcp://127.0.0.1:";

    @Test
    void shouldBalanceByTheReportsOfPeersThatNeverSayHello(@TempDir Path folder) throws Exception {
        String rank0 = LOOPBACK + Ports.free();
        String rank1 = LOOPBACK + Ports.free();
        try (ZContext context = Contexts.create();
                PushSocket input = PushSocket.bind(context, LOOPBACK + "*", SocketLimits.defaults())) {
            Script controller = Script.start(
                    folder,
                    Map.of(),
                    "controller.sh",
                    List.of(
                            "--no-build",
                            "--input=" + input.endpoint(),
                            "--worker-endpoints",
                            rank0 + "," + rank1,
                            "--load-balance-method",
                            "total_tokens"));
            String ready = "READY controller push=" + rank0 + " push=" + rank1;
            await().atMost(START).until(() -> controller.output().contains(ready));
            try (PullSocket first = PullSocket.connect(context, rank0, SocketLimits.defaults());
                    PullSocket second = PullSocket.connect(context, rank1, SocketLimits.defaults())) {
                await().atMost(SOON).until(input::hasPeer);
                byte[] early = frame(IntArrayForm.INT64, request("before all are there"));
                awaitBoth(input, first, second, early);

                byte[] sglang = frame(IntArrayForm.INT64, request("as SGLang writes it"));
                byte[] int32 = frame(IntArrayForm.INT32, request("as Java peers write it"));
                send(input, frame(IntArrayForm.INT32, loads(BUSY_TOKENS, 0)));
                send(input, sglang);
                assertThat(next(second, early)).isEqualTo(sglang);
                send(input, frame(IntArrayForm.INT32, loads(0, BUSY_TOKENS)));
                send(input, int32);
                assertThat(next(first, early)).isEqualTo(int32);
            } finally {
                controller.signal("TERM");
            }
            assertThat(controller.exitStatus()).as(controller.output()).isEqualTo(ENDED_BY_TERM);
        }
    }

    @Test
    void shouldSayWhatIsMissing(@TempDir Path folder) {
        Script controller = Script.start(folder, Map.of(), "controller.sh", List.of("--input", LOOPBACK + 1));
        assertThat(controller.exitStatus()).isEqualTo(2);
        assertThat(controller.errors()).containsExactly("error: missing --worker-endpoints (--help tells more)");
    }

    /** Sends until each rank has got one: a rank is live once its connection stands. */
    private static void awaitBoth(PushSocket input, PullSocket first, PullSocket second, byte[] frame) {
        boolean[] reached = new boolean[2];
        await().atMost(SOON).until(() -> {
            send(input, frame.clone());
            reached[0] |= first.receive(RECEIVE_MS) != null;
            reached[1] |= second.receive(RECEIVE_MS) != null;
            return reached[0] && reached[1];
        });
    }

    private static void send(PushSocket input, byte[] frame) {
        assertThat(input.send(frame.clone())).isTrue();
    }

    /** The next frame that is not {@code passed}. */
    private static byte[] next(PullSocket rank, byte[] passed) {
        byte[] frame = passed;
        while (Arrays.equals(frame, passed)) {
            frame = rank.receive((int) SOON.toMillis());
        }
        return frame;
    }

    private static TokenizedGenerateReqInput request(String rid) {
        return TokenizedGenerateReqInput.of(rid, null, new int[PROMPT_TOKENS], SamplingParams.greedy(4), true);
    }

    private static WatchLoadUpdateReq loads(int tokens0, int tokens1) {
        return new WatchLoadUpdateReq(
                null,
                null,
                List.of(
                        GetLoadReqOutput.legacy(0, 1, 0, tokens0, 1.0),
                        GetLoadReqOutput.legacy(1, 1, 0, tokens1, 1.0)));
    }

    private static byte[] frame(IntArrayForm form, Message message) {
        return new MessageCodec(form).encode(message);
    }
}
