package dpserve.tokenizer.http;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.Unpooled;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.handler.codec.http.DefaultFullHttpRequest;
import io.netty.handler.codec.http.FullHttpResponse;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpVersion;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import org.junit.jupiter.api.Test;

class HttpConnectionTest {
    private static final int MAX_BODY_BYTES = 100;

    /** Of all connections. */
    private static final int MAX_WAITING_BYTES = 150;

    /** The requests whose turn came, by the letter that their body is made of, and their replies. */
    private final List<String> begun = new ArrayList<>();

    private final List<Exchange> exchanges = new ArrayList<>();
    private int left;

    private final Deque<Runnable> tick = new ArrayDeque<>();
    private final FlushQueue flushes = new FlushQueue(tick::add);
    private final Router router =
            new Router(Runnable::run, Runnable::run, new ApiKeys(null, null), new WaitingBodies(MAX_WAITING_BYTES));
    private final EmbeddedChannel channel = connect();

    private EmbeddedChannel connect() {
        return new EmbeddedChannel(new HttpConnection(router, flushes, () -> 0, MAX_BODY_BYTES));
    }

    HttpConnectionTest() {
        for (String path : List.of("/generate", "/v1/completions")) {
            router.add(List.of("POST"), path, (call, exchange) -> {
                begun.add(new String(call.body(), 0, 1, StandardCharsets.US_ASCII));
                exchanges.add(exchange);
                exchange.onClientGone(() -> left++);
            });
        }
    }

    private static void send(EmbeddedChannel to, String path, String letter, int bytes) {
        byte[] body = letter.repeat(bytes).getBytes(StandardCharsets.US_ASCII);
        to.writeInbound(
                new DefaultFullHttpRequest(HttpVersion.HTTP_1_1, HttpMethod.POST, path, Unpooled.wrappedBuffer(body)));
    }

    private void send(String letter, int bytes) {
        send(channel, "/generate", letter, bytes);
    }

    private void reply() {
        exchanges.remove(0).json(200, Exchange.JSON.createObjectNode());
        channel.runPendingTasks();
    }

    /** What was answered since the last call: status and body. */
    private List<String> answers() {
        for (Runnable task = tick.poll(); task != null; task = tick.poll()) {
            task.run();
        }
        List<String> answers = new ArrayList<>();
        for (FullHttpResponse r = channel.readOutbound(); r != null; r = channel.readOutbound()) {
            String retry = r.headers().contains(HttpHeaderNames.RETRY_AFTER) ? " retry" : "";
            answers.add(r.status().code() + retry + " " + r.content().toString(StandardCharsets.UTF_8));
            r.release();
        }
        return answers;
    }

    @Test
    void shouldRefuseInItsTurnWhatIsTooMuchToWait() {
        send("a", 100);
        send("b", 60);
        send("c", 60);
        send("d", 40);
        assertThat(begun).containsExactly("a");
        assertThat(answers()).isEmpty();
        reply();
        assertThat(begun).containsExactly("a", "b");
        assertThat(answers()).containsExactly("200 {}");
        reply();
        assertThat(begun).as("the third does not begin").containsExactly("a", "b", "d");
        assertThat(answers())
                .containsExactly(
                        "200 {}",
                        "503 retry {\"error\":{\"message\":\"Too many bytes of requests wait for their turn (limit 100 on a"
                                + " connection, 150 in all).\"}}");
        reply();
        assertThat(answers()).containsExactly("200 {}");
    }

    @Test
    void shouldTakeABodyAgainWhenOthersWaitNoMore() {
        send("a", 1);
        send("b", 60);
        reply();
        send("c", 100);
        reply();
        reply();
        assertThat(begun).containsExactly("a", "b", "c");
        assertThat(answers()).hasSize(3).allMatch("200 {}"::equals);
    }

    @Test
    void shouldBoundWhatWaitsOnAllConnectionsTogether() {
        EmbeddedChannel other = connect();
        send(other, "/generate", "x", 1);
        send(other, "/generate", "y", 91);
        send("a", 1);
        send(channel, "/v1/completions", "b", 60);
        other.close();
        send("c", 60);
        exchanges.remove(0); // of the other
        reply();
        reply();
        assertThat(begun).containsExactly("x", "a", "c");
        assertThat(answers())
                .hasSize(3)
                .satisfiesExactly(
                        a -> {},
                        b -> assertThat(b).startsWith("503 retry {\"object\":\"error\",\"message\":\"Too many bytes"),
                        c -> {});
    }

    @Test
    void shouldNoticeAClientThatLeavesWhileTooMuchWaits() {
        send("a", 1);
        send("b", 100);
        send("c", 100);
        assertThat(channel.config().isAutoRead())
                .as("what is not read does not end either")
                .isTrue();
        channel.close();
        assertThat(left).isEqualTo(1);
        assertThat(begun).containsExactly("a");
    }
}
