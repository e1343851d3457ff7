package dpserve.tokenizer.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dpserve.tokenizer.BadRequest;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.handler.codec.http.FullHttpResponse;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;
import org.junit.jupiter.api.Test;

class RouterTest {
    private static final int MAX_WAITING_BYTES = 250_000;

    private final EmbeddedChannel channel = new EmbeddedChannel();
    private final Deque<Runnable> tick = new ArrayDeque<>();
    private final Deque<Runnable> side = new ArrayDeque<>();
    private final List<Integer> parsed = new ArrayList<>();
    private final Router router =
            new Router(Runnable::run, side::add, new ApiKeys(null, null), new WaitingBodies(MAX_WAITING_BYTES));

    RouterTest() {
        router.addJson(List.of("POST"), "/generate", body -> body.get("ids").size(), (call, size, exchange) -> {
            parsed.add(size);
            exchange.json(200, Exchange.JSON.createObjectNode());
        });
    }

    /** The status of the answer, 0 for none yet. */
    private int post(String body) {
        Exchange exchange = new Exchange(channel, 0, true, new FlushQueue(tick::add), stays -> {});
        router.handle(new HttpCall("POST", "/generate", null, body.getBytes(StandardCharsets.UTF_8)), exchange);
        return status();
    }

    private int status() {
        tick.forEach(Runnable::run);
        tick.clear();
        FullHttpResponse response = channel.readOutbound();
        return response == null ? 0 : response.status().code();
    }

    private static String ids(int count) {
        return "{\"ids\":[" + "1,".repeat(count - 1) + "1]}";
    }

    @Test
    void shouldReadAPromptOfAMillionIds() throws Exception {
        assertThat(Router.json(ids(1_000_000).getBytes(StandardCharsets.UTF_8)).get("ids"))
                .hasSize(1_000_000);
    }

    @Test
    void shouldRefuseABodyWhoseTreeWouldFillTheHeap() {
        byte[] body = ("{\"a\":[" + "{},".repeat(1_000_000) + "{}]}").getBytes(StandardCharsets.UTF_8);
        assertThatThrownBy(() -> Router.json(body))
                .isInstanceOf(BadRequest.class)
                .hasMessage(
                        "The request body is beyond what this server reads (2000000 values, names and brackets, 1000"
                                + " levels): Token count (2000001) exceeds the maximum allowed (2000000)");
    }

    @Test
    void shouldRefuseALongBodyWhereAShortOneSays() throws Exception {
        byte[] longest = new byte[64 << 10];
        Arrays.fill(longest, (byte) ' ');
        longest[0] = '{';
        longest[1] = '}';
        assertThat(Router.shortJson(longest)).isEmpty();
        assertThatThrownBy(() -> Router.shortJson(Arrays.copyOf(longest, longest.length + 1)))
                .isInstanceOf(BadRequest.class)
                .hasMessage("The request body has 65537 bytes, of which this path takes 65536.");
    }

    @Test
    void shouldAnswer400ToABodyWithTooManyValues() {
        assertThat(post("{\"ids\":[" + "[],".repeat(1_000_000) + "[]]}")).isZero();
        side.poll().run();
        assertThat(status()).isEqualTo(400);
        assertThat(parsed).isEmpty();
    }

    @Test
    void shouldBoundLongBodiesThatWaitToBeRead() {
        assertThat(post(ids(50_000))).isZero();
        assertThat(post(ids(50_000))).isZero();
        assertThat(post(ids(50_000))).as("300 kB").isEqualTo(503);
        assertThat(post(ids(10))).as("read at once").isEqualTo(200);
        side.poll().run();
        assertThat(status()).isEqualTo(200);
        assertThat(post(ids(50_000))).isZero();
        side.forEach(Runnable::run);
        assertThat(parsed).containsExactly(10, 50_000, 50_000, 50_000);
    }

    @Test
    void shouldTakeALongBodyThatFailsOffTheCount() {
        for (int i = 0; i < 10; i++) {
            assertThat(post("{".repeat(100_000))).isZero();
            side.poll().run();
            assertThat(status()).isEqualTo(400);
            assertThat(post("[" + "1,".repeat(50_000) + "1]"))
                    .as("fails in its parser")
                    .isZero();
            Runnable last = side.poll();
            try {
                last.run();
            } catch (RuntimeException e) {
                assertThat(e).isInstanceOf(NullPointerException.class);
            }
            assertThat(status()).isEqualTo(500);
        }
    }

    @Test
    void shouldTakeABodyThatIsLongerThanWhatMayWaitIfNoneWaits() {
        assertThat(post(ids(500_000))).isZero();
        side.poll().run();
        assertThat(parsed).containsExactly(500_000);
    }
}
