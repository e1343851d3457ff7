package dpserve.tokenizer.process;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dpserve.io.message.GetInternalStateReq;
import java.io.BufferedReader;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;

/** The live page and its stream, against a scripted controller over real sockets. */
class DashboardTest {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int VIEWERS = 5;

    private static FakeBackend backend;
    private static TokenizerProcess process;
    private static URI base;

    private final HttpClient http =
            HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

    @BeforeAll
    static void start() throws Exception {
        int port = TestPorts.free();
        TokenizerManagerMain args = new TokenizerManagerMain();
        new CommandLine(args)
                .setCaseInsensitiveEnumValuesAllowed(true)
                .parseArgs("--port", "" + port, "--dp-size", "2");
        process = new TokenizerProcess(args);
        process.start();
        backend = new FakeBackend(args.topology.endpoints(), 2);
        base = URI.create("http://127.0.0.1:" + port);
        // The ranks are heard of after the page can be opened.
        DashboardTest test = new DashboardTest();
        long deadline = System.nanoTime() + 20_000_000_000L;
        while (test.get("/health", BodyHandlers.discarding()).statusCode() != 200) {
            assertThat(System.nanoTime()).as("patience").isLessThan(deadline);
        }
    }

    @AfterAll
    static void stop() throws Exception {
        process.close();
        backend.close();
    }

    private <T> HttpResponse<T> get(String path, HttpResponse.BodyHandler<T> handler) throws Exception {
        return http.send(HttpRequest.newBuilder(base.resolve(path)).build(), handler);
    }

    private BufferedReader open() throws Exception {
        HttpResponse<InputStream> response = get("/dashboard/events", BodyHandlers.ofInputStream());
        assertThat(response.statusCode()).isEqualTo(200);
        assertThat(response.headers().firstValue("content-type")).hasValue("text/event-stream; charset=utf-8");
        return new BufferedReader(new InputStreamReader(response.body(), StandardCharsets.UTF_8));
    }

    private static JsonNode next(BufferedReader events) throws Exception {
        String line = events.readLine();
        assertThat(line).startsWith("data: ");
        assertThat(events.readLine()).isEmpty();
        return JSON.readTree(line.substring("data: ".length()));
    }

    private static int polls() {
        return backend.received(GetInternalStateReq.class).size();
    }

    @Test
    void shouldPollOnceForAllViewersAndNeverForNone() throws Exception {
        assertThat(polls()).as("nobody looked").isZero();
        List<BufferedReader> viewers = new ArrayList<>();
        for (int i = 0; i < VIEWERS; i++) {
            viewers.add(open());
        }
        JsonNode first = next(viewers.get(0));
        assertThat(first.get("ranks")).hasSize(2);
        assertThat(first.get("unanswered").toString()).contains("rank 0");
        next(viewers.get(0));
        for (BufferedReader other : viewers.subList(1, VIEWERS)) {
            assertThat(next(other).get("model").asText()).isEqualTo("simulated");
        }
        int seen = polls();
        assertThat(seen).as("polls for two events of %d viewers", VIEWERS).isBetween(2, 4);
        for (BufferedReader viewer : viewers) {
            viewer.close();
        }
        // A poll that began while somebody looked is followed by none; a new viewer starts anew.
        try (BufferedReader again = open()) {
            next(again);
        }
        assertThat(polls()).isBetween(seen, seen + 3);
    }

    @Test
    void shouldSendOnePageThatMayAskNobodyElse() throws Exception {
        HttpResponse<String> page = get("/dashboard", BodyHandlers.ofString());
        assertThat(page.statusCode()).isEqualTo(200);
        assertThat(page.headers().firstValue("content-type")).hasValue("text/html; charset=utf-8");
        assertThat(page.headers().firstValue("content-security-policy").orElseThrow())
                .startsWith("default-src 'none'; connect-src 'self'; img-src data:; style-src 'sha256-")
                .contains("frame-ancestors 'none'");
        assertThat(page.body())
                .contains("<table", "async function follow", "prefers-color-scheme")
                .doesNotContain(
                        "@STYLE@", "@SCRIPT@", "localStorage", "document.cookie", "<script src", "<link rel=\"style");
        assertThat(page.body().replace("http://www.w3.org/", "")).doesNotContain("http://", "https://");
        assertThat(page.body().length()).as("small").isLessThan(30_000);
    }
}
