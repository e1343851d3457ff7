package dpserve.bench.client;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** The calls before, during and after a run. They block. */
public final class ControlCalls {
    private static final Duration CALL_LIMIT = Duration.ofSeconds(5);
    private static final long POLL_MS = 250;
    private static final ObjectMapper JSON = new ObjectMapper();

    private final HttpClient http = HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .connectTimeout(CALL_LIMIT)
            .build();
    private final String base;
    private final Map<String, String> headers;

    /** @param base without a slash at its end */
    public ControlCalls(URI base, Map<String, String> headers) {
        this.base = base.toString();
        this.headers = headers;
    }

    /**
     * Asks for the model list until the server gives it.
     *
     * @return whether it did within the limit
     */
    public boolean waitUntilReady(long limitS) throws InterruptedException {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(limitS);
        while (get("/v1/models") == null) {
            if (System.nanoTime() > deadline) {
                return false;
            }
            Thread.sleep(POLL_MS);
        }
        return true;
    }

    /** The id of the first model served; null if the server does not say. */
    public String firstModel() throws InterruptedException {
        JsonNode models = get("/v1/models");
        return models == null ? null : models.path("data").path(0).path("id").asText(null);
    }

    /** What /server_info says; null if the server does not have it. */
    public JsonNode serverInfo() throws InterruptedException {
        return get("/server_info");
    }

    /** The ranks' loads; null if the server does not tell them. */
    public JsonNode loads() throws InterruptedException {
        return get("/v1/loads");
    }

    /**
     * Empties the prefix caches.
     *
     * @param timeoutS how long the server may wait until it is idle
     * @throws IllegalStateException with the server's words if it did not
     */
    public void flushCache(double timeoutS) throws InterruptedException {
        send(
                "flush_cache",
                request("/flush_cache?timeout=" + timeoutS, CALL_LIMIT.plusMillis((long) (timeoutS * 1000)))
                        .POST(HttpRequest.BodyPublishers.noBody()));
    }

    /**
     * Changes how the controller balances, from the next request on.
     *
     * @param delayMs added to every load report, ms of modelled time
     * @throws IllegalStateException with the server's words if it did not
     */
    public void loadBalance(String method, double delayMs) throws InterruptedException {
        String body = JSON.createObjectNode()
                .put("method", method)
                .put("delay_ms", delayMs)
                .toString();
        send("load_balance", request("/load_balance", CALL_LIMIT).PUT(HttpRequest.BodyPublishers.ofString(body)));
    }

    private void send(String call, HttpRequest.Builder request) throws InterruptedException {
        try {
            HttpResponse<String> response = http.send(request.build(), HttpResponse.BodyHandlers.ofString());
            if (response.statusCode() != 200) {
                throw new IllegalStateException(call + ": status " + response.statusCode() + ", "
                        + response.body().strip());
            }
        } catch (IOException e) {
            throw new IllegalStateException(call + ": " + e);
        }
    }

    private JsonNode get(String path) throws InterruptedException {
        try {
            HttpResponse<byte[]> response =
                    http.send(request(path, CALL_LIMIT).GET().build(), HttpResponse.BodyHandlers.ofByteArray());
            return response.statusCode() == 200 ? JSON.readTree(response.body()) : null;
        } catch (IOException e) {
            return null;
        }
    }

    private HttpRequest.Builder request(String path, Duration limit) {
        HttpRequest.Builder request =
                HttpRequest.newBuilder(URI.create(base + path)).timeout(limit);
        headers.forEach(request::header);
        return request;
    }
}
