package dpserve.io.socket;

import static org.assertj.core.api.Assertions.assertThat;

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
}
