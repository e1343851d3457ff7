package dpserve.tokenizer.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dpserve.io.Env;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import picocli.CommandLine;

/** Keys and limits of the HTTP server, byte by byte. */
@Timeout(120)
class HttpAuthTest {
    private static final String KEY = "user-key-1";
    private static final int LIMIT = 100_000;

    private static TokenizerProcess process;
    private static int port;

    @BeforeAll
    static void start() throws Exception {
        do {
            try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
                port = socket.getLocalPort();
            }
        } while (port > 60_000);
        process = new TokenizerProcess(args("--port", "" + port, "--api-key", KEY, "--max-request-bytes", "" + LIMIT));
        process.start();
    }

    @AfterAll
    static void stop() {
        process.close();
    }

    private static TokenizerManagerMain args(String... flags) {
        TokenizerManagerMain args = new TokenizerManagerMain();
        new CommandLine(args).setCaseInsensitiveEnumValuesAllowed(true).parseArgs(flags);
        return args;
    }

    /** All that the server says to these bytes until it closes. */
    private static String say(String request) throws IOException {
        try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
            OutputStream out = socket.getOutputStream();
            out.write(request.getBytes(StandardCharsets.ISO_8859_1));
            out.flush();
            return new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        }
    }

    private static String get(String path, String... headers) {
        return "GET " + path + " HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
                + String.join("", headers).replace("|", "\r\n") + "\r\n";
    }

    @Test
    void shouldServeOnlyThoseWithTheKey() throws IOException {
        assertThat(say(get("/v1/models")))
                .startsWith("HTTP/1.1 401 ")
                .contains("{\"error\":\"Unauthorized\"}")
                .containsIgnoringCase("www-authenticate: Bearer");
        assertThat(say(get("/v1/models", "Authorization: Bearer other-key|"))).startsWith("HTTP/1.1 401 ");
        assertThat(say(get("/v1/models", "Authorization: Bearer " + KEY + "|"))).startsWith("HTTP/1.1 200 ");
        assertThat(say(get("/health"))).doesNotContain(" 401 ");
    }

    @Test
    void shouldNotKeepTheBodyOfARefusedRequestAndAnswerInOrder() throws IOException {
        String long1 = "x".repeat(2 * LIMIT);
        String refused = "POST /generate HTTP/1.1\r\nHost: a\r\nContent-Length: " + long1.length() + "\r\n\r\n" + long1;
        String answers = say(refused + refused + get("/v1/models", "Authorization: Bearer " + KEY + "|"));
        assertThat(answers.split("HTTP/1.1 401 ", -1)).hasSize(3);
        assertThat(answers.lastIndexOf("HTTP/1.1 200 ")).isGreaterThan(answers.lastIndexOf("HTTP/1.1 401 "));
        assertThat(answers).doesNotContain(" 413 ");
    }

    @Test
    void shouldNameTheLimitOfATooLongHead() throws IOException {
        assertThat(say(get("/" + "a".repeat(9000)))).startsWith("HTTP/1.1 414 ").contains("longer than 8192 bytes");
        assertThat(say(get("/", "A: " + "a".repeat(40_000) + "|")))
                .startsWith("HTTP/1.1 431 ")
                .contains("longer than 32768 bytes");
    }

    @Test
    void shouldNameTheLimitOfDepth() throws IOException {
        String body = "[".repeat(2000);
        assertThat(say("POST /generate HTTP/1.1\r\nHost: a\r\nConnection: close\r\nAuthorization: Bearer " + KEY
                        + "\r\nContent-Length: " + body.length() + "\r\n\r\n" + body))
                .startsWith("HTTP/1.1 400 ")
                .contains("1000 levels")
                .contains("depth (1001)");
    }

    @Test
    void shouldTakeKeysFromTheEnvironmentAndRefuseBadOnesUnseen() {
        Env env = new Env(Map.of("DPSERVE_API_KEY", KEY));
        assertThat(args().keys(env).any()).isTrue();
        assertThat(args().keys(new Env(Map.of())).any()).isFalse();
        assertThatThrownBy(() -> args("--api-key", "secret").keys(env))
                .hasMessageContaining("--api-key")
                .hasMessageNotContaining("secret");
    }
}
