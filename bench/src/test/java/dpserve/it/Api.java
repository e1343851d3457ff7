package dpserve.it;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/** A client of one topology, with the JDK's HTTP client and nothing of the server's own code. */
final class Api {
    static final ObjectMapper JSON = new ObjectMapper();
    private static final Duration TIMEOUT = Duration.ofSeconds(120);

    private final URI base;
    private final HttpClient http = HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .connectTimeout(TIMEOUT)
            .build();

    private final String key;

    Api(URI base) {
        this(base, null);
    }

    private Api(URI base, String key) {
        this.base = base;
        this.key = key;
    }

    /** The same, with an API key. */
    Api withKey(String newKey) {
        return new Api(base, newKey);
    }

    /** A whole reply. */
    record Reply(int status, String contentType, String body) {
        JsonNode json() {
            try {
                return JSON.readTree(body);
            } catch (JsonProcessingException e) {
                throw new AssertionError("no JSON: " + body, e);
            }
        }
    }

    Reply get(String path) {
        return send(request(path).GET().build());
    }

    Reply post(String path, Object body) {
        return send(postRequest(path, body));
    }

    Reply put(String path, Object body) {
        return send(request(path)
                .header("Content-Type", "application/json")
                .PUT(HttpRequest.BodyPublishers.ofString(body.toString()))
                .build());
    }

    Reply delete(String path) {
        return send(request(path).DELETE().build());
    }

    CompletableFuture<Reply> postAsync(String path, Object body) {
        return http.sendAsync(postRequest(path, body), BodyHandlers.ofString()).thenApply(Api::reply);
    }

    private Reply send(HttpRequest request) {
        try {
            return reply(http.send(request, BodyHandlers.ofString()));
        } catch (IOException e) {
            throw new UncheckedIOException(request.uri().toString(), e);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    private static Reply reply(HttpResponse<String> response) {
        return new Reply(
                response.statusCode(),
                response.headers().firstValue("content-type").orElse(""),
                response.body());
    }

    /** Opens a stream of server-sent events; returns when the headers are there. */
    Events stream(String path, Object body) {
        try {
            HttpResponse<InputStream> response = http.send(postRequest(path, body), BodyHandlers.ofInputStream());
            return new Events(response.statusCode(), response.body());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    /**
     * Sends a request over a connection of its own and hangs up when the first bytes of the reply are there. (The JDK's
     * client may give the connection of a stream that is closed early to another request and then close it.)
     */
    void postAndHangUp(String path, Object body) {
        try (Socket socket = new Socket(base.getHost(), base.getPort())) {
            byte[] content = JSON.writeValueAsBytes(body);
            String head = "POST " + path + " HTTP/1.1\r\nHost: " + base.getAuthority()
                    + "\r\nContent-Type: application/json\r\nContent-Length: " + content.length + "\r\n\r\n";
            OutputStream out = socket.getOutputStream();
            out.write(head.getBytes(StandardCharsets.US_ASCII));
            out.write(content);
            if (socket.getInputStream().read() < 0) {
                throw new IOException("no reply");
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private HttpRequest.Builder request(String path) {
        HttpRequest.Builder builder = HttpRequest.newBuilder(base.resolve(path)).timeout(TIMEOUT);
        return key == null ? builder : builder.header("Authorization", "Bearer " + key);
    }

    private HttpRequest postRequest(String path, Object body) {
        try {
            String text = body instanceof String s ? s : JSON.writeValueAsString(body);
            return request(path)
                    .header("Content-Type", "application/json")
                    .POST(HttpRequest.BodyPublishers.ofString(text))
                    .build();
        } catch (JsonProcessingException e) {
            throw new IllegalArgumentException(e);
        }
    }

    /** One open stream. Closing it before its end is what a client that leaves does. */
    static final class Events implements AutoCloseable {
        private final int status;
        private final InputStream raw;
        private final BufferedReader in;

        private Events(int status, InputStream raw) {
            this.status = status;
            this.raw = raw;
            in = new BufferedReader(new InputStreamReader(raw, StandardCharsets.UTF_8));
        }

        int status() {
            return status;
        }

        /** The next event's data, or null after {@code [DONE]}; a stream that ends without it fails. */
        JsonNode next() {
            try {
                for (String line = in.readLine(); line != null; line = in.readLine()) {
                    if (line.equals("data: [DONE]")) {
                        readToEnd(); // only then does the JDK's client take the connection for intact
                        return null;
                    }
                    if (line.startsWith("data: ")) {
                        return JSON.readTree(line.substring("data: ".length()));
                    }
                    if (!line.isEmpty() && !line.startsWith(":")) {
                        throw new AssertionError("not an event: " + line);
                    }
                }
                throw new AssertionError("the stream ended without [DONE]");
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        private void readToEnd() throws IOException {
            for (String line = in.readLine(); line != null; line = in.readLine()) {
                if (!line.isEmpty()) {
                    throw new AssertionError("after [DONE]: " + line);
                }
            }
        }

        /** All events up to the end. */
        List<JsonNode> all() {
            List<JsonNode> events = new ArrayList<>();
            for (JsonNode event = next(); event != null; event = next()) {
                events.add(event);
            }
            return events;
        }

        @Override
        public void close() {
            try {
                raw.close();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }
}
