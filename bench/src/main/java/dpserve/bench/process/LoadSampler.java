package dpserve.bench.process;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.function.Consumer;

/** Asks a server for its ranks' loads, again and again, from a thread of its own, until stopped. */
final class LoadSampler {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Duration CALL_LIMIT = Duration.ofSeconds(5);

    private final HttpClient http =
            HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
    private final HttpRequest request;
    private final long periodMs;
    private final Consumer<JsonNode> sink;
    private final Thread thread = new Thread(this::run, "load-sampler");
    private volatile boolean stopped;

    /** @param sink takes each answer, on the sampler's thread; safe to read once this is stopped */
    LoadSampler(URI base, long periodMs, Consumer<JsonNode> sink) {
        this.request = HttpRequest.newBuilder(URI.create(base + "/v1/loads"))
                .timeout(CALL_LIMIT)
                .build();
        this.periodMs = periodMs;
        this.sink = sink;
        thread.setDaemon(true);
        thread.start();
    }

    private void run() {
        try {
            while (!stopped) {
                sample();
                Thread.sleep(periodMs);
            }
        } catch (InterruptedException e) {
            // stopped
        }
    }

    private void sample() throws InterruptedException {
        try {
            HttpResponse<byte[]> response = http.send(request, HttpResponse.BodyHandlers.ofByteArray());
            if (response.statusCode() == 200) {
                sink.accept(JSON.readTree(response.body()));
            }
        } catch (IOException e) {
            // A missed sample; the run itself reports a server that is gone.
        }
    }

    void stop() throws InterruptedException {
        stopped = true;
        thread.interrupt();
        thread.join();
    }
}
