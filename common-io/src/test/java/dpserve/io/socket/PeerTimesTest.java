package dpserve.io.socket;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.zeromq.ZContext;

/** Connections over a cable that somebody pulls. */
@Timeout(120)
class PeerTimesTest {
    private static final SocketLimits LIMITS = SocketLimits.defaults();
    private static final int PATIENCE_MS = 20_000;
    private static final String ANY_PORT = "tcp://127.0.0.1:*";

    /** As between hosts, but quick. */
    private static final PeerTimes QUICK = new PeerTimes(2_000, 50, 400);

    @TempDir
    Path folder;

    @Test
    void shouldBePatientWithOtherHostsOnly() {
        assertThat(PeerTimes.of("tcp://127.0.0.1:30234").pingMs()).isZero();
        assertThat(PeerTimes.of("tcp://10.1.2.3:30234").pingMs()).isPositive();
        assertThat(PeerTimes.of("tcp://10.1.2.3:30234").handshakeMs())
                .isGreaterThan(PeerTimes.of("tcp://localhost:30234").handshakeMs());
    }

    @Test
    void shouldConnectAnewWhenTheOtherHostIsSilent() throws Exception {
        CurveKeys.create(folder.resolve("keys"));
        CurveKeys keys = CurveKeys.load(folder.resolve("keys"));
        try (ZContext far = Contexts.create(keys);
                PullSocket pull = PullSocket.bind(far, ANY_PORT, LIMITS, QUICK);
                Cable cable = new Cable(pull.endpoint());
                ZContext near = Contexts.create(keys);
                PushSocket push = PushSocket.connect(near, cable.endpoint(), LIMITS, QUICK)) {
            push.send(new byte[] {1});
            assertThat(pull.receive(PATIENCE_MS)).containsExactly(1);
            cable.cut();
            cable.mend(); // for new connections: those that there were stay dead, as when the other host was replaced
            assertThat(sendUntilReceived(push, pull)).containsExactly(2);
            assertThat(cable.connections()).isGreaterThan(1);
        }
    }

    @Test
    void shouldSendNothingMoreToAPeerWhoseHostIsGone() throws Exception {
        try (ZContext near = Contexts.create();
                PushSocket push = PushSocket.bind(near, ANY_PORT, LIMITS, QUICK);
                Cable cable = new Cable(push.endpoint());
                ZContext far = Contexts.create();
                PullSocket gone = PullSocket.connect(far, cable.endpoint(), LIMITS, QUICK)) {
            assertThat(sendUntilReceived(push, gone)).containsExactly(2);
            int before = push.peersSoFar();
            cable.cut();
            try (ZContext other = Contexts.create();
                    PullSocket successor = PullSocket.connect(other, push.endpoint(), LIMITS, QUICK)) {
                while (push.peersSoFar() == before) {
                    assertThat(successor.receive(10)).isNull();
                }
                // As long as the other connection is believed in, every second frame goes there.
                for (int inRow = 0; inRow < 10; ) {
                    assertThat(push.send(new byte[] {2})).isTrue();
                    inRow = successor.receive(50) == null ? 0 : inRow + 1;
                }
            }
        }
    }

    @Test
    void shouldKeepAConnectionThatIsOnlyIdle() throws Exception {
        try (ZContext far = Contexts.create();
                PullSocket pull = PullSocket.bind(far, ANY_PORT, LIMITS, QUICK);
                Cable cable = new Cable(pull.endpoint());
                ZContext near = Contexts.create();
                PushSocket push = PushSocket.connect(near, cable.endpoint(), LIMITS, QUICK)) {
            push.send(new byte[] {1});
            assertThat(pull.receive(PATIENCE_MS)).containsExactly(1);
            int before = cable.connections();
            assertThat(pull.receive(3 * QUICK.silentMs())).isNull();
            push.send(new byte[] {2});
            assertThat(pull.receive(PATIENCE_MS)).containsExactly(2);
            assertThat(cable.connections()).isEqualTo(before);
        }
    }

    /** What is sent before a silence is noticed is lost, and now and then what is sent on a fresh connection. */
    private static byte[] sendUntilReceived(PushSocket push, PullSocket pull) {
        byte[] received = null;
        long until = System.nanoTime() + PATIENCE_MS * 1_000_000L;
        while (received == null && System.nanoTime() - until < 0) {
            push.send(new byte[] {2});
            received = pull.receive(20);
        }
        return received;
    }
}
