package dpserve.tokenizer.process;

import static org.assertj.core.api.Assertions.assertThat;

import dpserve.io.Endpoints;
import dpserve.io.LogLimiter;
import dpserve.io.codec.IntArrayForm;
import dpserve.io.message.EndNotice;
import dpserve.io.message.Hello;
import dpserve.io.message.Role;
import dpserve.io.socket.Contexts;
import dpserve.io.socket.PullSocket;
import dpserve.io.socket.SocketLimits;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.slf4j.LoggerFactory;
import org.zeromq.ZContext;

class TokenizerSocketsTest {
    private static final String ANY_PORT = "tcp://127.0.0.1:*";

    /** A restarted worker's first request must wait for its introduction, not be refused: found by chaos.sh. */
    @Test
    @Timeout(value = 30, unit = TimeUnit.SECONDS)
    void shouldHaveNoControllerBeforeItHasBeenIntroduced() throws Exception {
        String push = "tcp://127.0.0.1:" + TestPorts.free();
        try (ZContext context = Contexts.create();
                PullSocket hellos = PullSocket.bind(context, ANY_PORT, SocketLimits.defaults())) {
            Endpoints endpoints = new Endpoints(List.of(ANY_PORT), List.of(push), List.of(), hellos.endpoint());
            ZContext sending = Contexts.create();
            try (TokenizerSockets sockets = new TokenizerSockets(
                            sending,
                            endpoints,
                            0,
                            IntArrayForm.INT32,
                            new SglangPeers(false, false),
                            new LogLimiter(LoggerFactory.getLogger(TokenizerSocketsTest.class)));
                    PullSocket stream = PullSocket.connect(context, push, SocketLimits.defaults())) {
                assertThat(stream).isNotNull(); // it connects by itself
                until(sockets::isConnected);
                assertThat(sockets.hasController()).isFalse();

                sockets.hello(
                        new Hello(Role.TOKENIZER, 0, 1, Map.of(), Hello.PROTOCOL_VERSION, 1, Map.of(), new String[0]));
                until(sockets::hasController);
                assertThat(sockets.toController(new EndNotice(new String[] {"a"})))
                        .isTrue();
            } finally {
                sending.close();
            }
        }
    }

    private static void until(BooleanSupplier condition) {
        while (!condition.getAsBoolean()) {
            Thread.onSpinWait(); // the test's own timeout ends it
        }
    }
}
