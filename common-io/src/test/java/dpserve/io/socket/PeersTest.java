package dpserve.io.socket;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.zeromq.ZContext;

class PeersTest {

    /** Endpoints reach it in messages: none may end the process that answers. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "tcp://127.999.1.1:8998",
                "tcp://a b:8998",
                "tcp://no-such-host.invalid:8998",
                "tcp://[::1:8998",
                "tcp://;127.0.0.1:8998",
                "tcp://host/path:80",
                "tcp://127.0.0.1:*",
                "ipc://x",
                "nonsense"
            })
    void shouldTakeNoHarmFromAnEndpointThatCannotBe(String endpoint) {
        try (ZContext context = new ZContext();
                Peers peers = new Peers(context, any -> true)) {
            assertThat(peers.send(endpoint, new byte[] {1})).isFalse();
            assertThat(peers.send(endpoint, new byte[] {1})).as("again").isFalse();
        }
    }

    /** What was queued for a peer that died would stay as long as this process. */
    @Test
    void shouldCloseWhatHasLongNotBeenUsed() {
        AtomicLong nowNs = new AtomicLong(-5);
        try (ZContext context = new ZContext();
                Peers peers = new Peers(context, any -> true, nowNs::get)) {
            assertThat(peers.send("tcp://127.0.0.1:1", new byte[1000])).isTrue();
            nowNs.addAndGet(Peers.IDLE_NS - 1);
            assertThat(peers.send("tcp://127.0.0.1:2", new byte[1])).isTrue();
            assertThat(peers.size()).isEqualTo(2);
            nowNs.addAndGet(1);
            assertThat(peers.send("tcp://127.0.0.1:2", new byte[1])).isTrue();
            assertThat(peers.size()).isEqualTo(1);
            assertThat(peers.send("tcp://127.0.0.1:1", new byte[1])).isTrue();
            nowNs.addAndGet(10 * Peers.IDLE_NS);
            assertThat(peers.send("tcp://127.0.0.1:1", new byte[1]))
                    .as("the one in use")
                    .isTrue();
            assertThat(peers.size()).isEqualTo(1);
        }
    }
}
