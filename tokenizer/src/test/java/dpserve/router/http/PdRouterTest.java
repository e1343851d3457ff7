package dpserve.router.http;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dpserve.router.PairChoice;
import dpserve.tokenizer.http.ApiKeys;
import dpserve.tokenizer.http.Exchange;
import dpserve.tokenizer.http.HttpCall;
import dpserve.tokenizer.http.HttpServer;
import dpserve.tokenizer.http.Router;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The router between a client and two servers that say what the test says, all over real sockets. */
@Timeout(60)
class PdRouterTest {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final long FIRST_ROOM = 1000;

    /** A request that a server got and has not answered. */
    private record Got(JsonNode body, Exchange exchange) {}

    private final HttpServer http = new HttpServer(System::nanoTime);
    private final HttpClient client = HttpClient.newHttpClient();
    private final BlockingQueue<Got> prefill = new LinkedBlockingQueue<>();
    private final BlockingQueue<Got> decode = new LinkedBlockingQueue<>();
    private URI prefillUrl;
    private URI decodeUrl;

    @BeforeEach
    void startServers() throws Exception {
        prefillUrl = server(prefill);
        decodeUrl = server(decode);
    }

    @AfterEach
    void stop() {
        http.close();
    }

    private static int freePort() throws Exception {
        try (ServerSocket socket = new ServerSocket(0)) {
            return socket.getLocalPort();
        }
    }

    private Router router() {
        return new Router(http.loop(), http.loop(), new ApiKeys(null, null));
    }

    private URI listen(Router router) throws Exception {
        int port = freePort();
        http.listen("127.0.0.1", port, 1 << 20, router);
        return URI.create("http://127.0.0.1:" + port);
    }

    private URI server(BlockingQueue<Got> got) throws Exception {
        Router router = router();
        router.add(List.of("POST"), "/generate", (call, exchange) -> got.add(new Got(json(call), exchange)));
        router.add(List.of("POST"), "/abort_request", (call, exchange) -> reply(exchange, 200, "{}"));
        return listen(router);
    }

    private URI start(URI prefillServer) throws Exception {
        return start(prefillServer, new PdRouter.Limits(100, 1 << 20));
    }

    private URI start(URI prefillServer, PdRouter.Limits limits) throws Exception {
        Router router = router();
        PairChoice pairs = new PairChoice(List.of(new PairChoice.Prefill(prefillServer, 8998)), List.of(decodeUrl));
        new PdRouter(http.loop(), pairs, () -> FIRST_ROOM, limits).addTo(router);
        return listen(router);
    }

    private static JsonNode json(HttpCall call) {
        try {
            return JSON.readTree(call.body());
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    private static void reply(Exchange exchange, int status, String body) {
        exchange.reply(status, "application/json", body.getBytes(StandardCharsets.UTF_8));
    }

    /** Answers from the thread that replies belong to. */
    private void answer(Got got, int status, String body) {
        http.loop().execute(() -> reply(got.exchange(), status, body));
    }

    private CompletableFuture<HttpResponse<String>> post(URI base, String path, String body) {
        HttpRequest request = HttpRequest.newBuilder(base.resolve(path))
                .POST(BodyPublishers.ofString(body.replace('\'', '"')))
                .build();
        return client.sendAsync(request, BodyHandlers.ofString());
    }

    private static Got next(BlockingQueue<Got> queue) throws InterruptedException {
        Got got = queue.poll(30, TimeUnit.SECONDS);
        assertThat(got).as("a request").isNotNull();
        return got;
    }

    @Test
    void shouldTryRoomsOfOtherRanks() throws Exception {
        CompletableFuture<HttpResponse<String>> reply =
                post(start(prefillUrl), "/generate", "{'text': 'x', 'sampling_params': {'n': 2}}");
        for (long room : new long[] {FIRST_ROOM, FIRST_ROOM + 2}) {
            assertThat(next(decode).body().path("bootstrap_room").asLong()).isEqualTo(room);
            Got half = next(prefill);
            assertThat(half.body().path("bootstrap_room").asLong()).isEqualTo(room);
            answer(half, 503, "{'error': {'message': 'not up'}}");
        }
        next(prefill);
        answer(next(decode), 200, "[]");
        assertThat(reply.get().body()).isEqualTo("[]");
    }

    @Test
    void shouldTryNothingAgainThatItsClientEnded() throws Exception {
        URI base = start(prefillUrl);
        CompletableFuture<HttpResponse<String>> mine = post(base, "/generate", "{'text': 'x', 'rid': 'mine'}");
        Got half = next(prefill);
        CompletableFuture<HttpResponse<String>> other = post(base, "/generate", "{'text': 'x', 'rid': 'other'}");
        Got otherHalf = next(prefill);
        assertThat(post(base, "/abort_request", "{'rid': 'mine'}").get().statusCode())
                .isEqualTo(200);
        answer(half, 503, "{'error': {'message': 'the other half was aborted'}}");
        assertThat(mine.get().statusCode()).isEqualTo(503);
        answer(otherHalf, 503, "{'error': {'message': 'dead'}}");
        assertThat(next(prefill).body().path("rid").asText()).isEqualTo("other");
        assertThat(other).isNotDone();
    }

    private void assertOneAtATime(URI base, String body, String refusal) throws Exception {
        for (int round = 0; round < 2; round++) {
            CompletableFuture<HttpResponse<String>> first = post(base, "/generate", body);
            Got prefillHalf = next(prefill);
            HttpResponse<String> second = post(base, "/generate", body).get();
            assertThat(second.statusCode()).isEqualTo(503);
            assertThat(second.body()).contains(refusal);
            answer(prefillHalf, 200, "{}");
            answer(next(decode), 200, "{}");
            assertThat(first.get().statusCode()).isEqualTo(200);
        }
    }

    @Test
    void shouldRefuseMoreRequestsThanItMayHave() throws Exception {
        URI base = start(prefillUrl, new PdRouter.Limits(1, 1 << 20));
        assertOneAtATime(base, "{'text': 'x'}", "--max-concurrent-requests 1");
    }

    @Test
    void shouldRefuseMoreBytesOfBodiesThanItMayHaveButTakeALongOneAlone() throws Exception {
        URI base = start(prefillUrl, new PdRouter.Limits(9, 100));
        assertOneAtATime(
                base, "{'text': '" + "x".repeat(150) + "'}", "request bodies it may have (100 bytes in memory)");
    }

    @Test
    void shouldTakeAnotherOnceAClientIsGone() throws Exception {
        URI base = start(prefillUrl, new PdRouter.Limits(1, 1 << 20));
        try (Socket gone = new Socket(base.getHost(), base.getPort())) {
            String body = "{\"text\": \"x\"}";
            gone.getOutputStream()
                    .write(("POST /generate HTTP/1.1\r\nHost: x\r\nContent-Length: " + body.length() + "\r\n\r\n"
                                    + body)
                            .getBytes(StandardCharsets.US_ASCII));
            next(prefill);
        }
        next(decode);
        HttpResponse<String> reply;
        do {
            CompletableFuture<HttpResponse<String>> asked = post(base, "/generate", "{'text': 'x'}");
            Got taken = null;
            while (taken == null && !asked.isDone()) {
                taken = prefill.poll(10, TimeUnit.MILLISECONDS);
            }
            if (taken != null) {
                answer(taken, 200, "{}");
                answer(next(decode), 200, "{}");
            }
            reply = asked.get();
        } while (reply.statusCode() == 503);
        assertThat(reply.statusCode()).isEqualTo(200);
    }

    @Test
    void shouldAnswer400ToABodyThatIsNoObject() throws Exception {
        assertThat(post(start(prefillUrl), "/generate", "[1]").get().statusCode())
                .isEqualTo(400);
    }

    @Test
    void shouldEndWhenNoServerHasThatName() throws Exception {
        HttpResponse<String> reply = post(
                        start(URI.create("http://no-such-host.invalid:1")), "/generate", "{'text': 'x'}")
                .get();
        assertThat(reply.statusCode()).isEqualTo(503);
        assertThat(reply.body()).contains("no connection to no-such-host.invalid:1");
    }
}
