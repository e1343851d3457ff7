package dpserve.it;

import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;

/**
 * Many streams at once, each from a prompt of its own, over connections of their own. The topology streams in chunks
 * ({@code --incremental-streaming-output}).
 */
final class Streams implements AutoCloseable {
    private static final Duration ALL_BEGIN = Duration.ofSeconds(60);
    private static final int END_S = 180;

    private final int length;
    private final ExecutorService threads;
    private final List<CompletableFuture<Outcome>> running;
    private final AtomicInteger begun = new AtomicInteger();

    /**
     * How one stream went.
     *
     * @param ranks that its events came from, in order, without repetitions
     * @param text all of it
     * @param error what the client was told instead of the rest; null for a whole reply
     * @param longestGapNs between two events
     * @param gapsNs all times between two events
     */
    record Outcome(List<Integer> ranks, String text, String error, long longestGapNs, List<Long> gapsNs) {}

    /**
     * Starts them; returns when each has begun.
     *
     * @param length tokens of each
     */
    Streams(Api api, int count, int length) {
        this.length = length;
        threads = Executors.newFixedThreadPool(count);
        running = IntStream.range(0, count)
                .mapToObj(i -> CompletableFuture.supplyAsync(() -> stream(api, i), threads))
                .toList();
        await().atMost(ALL_BEGIN).until(() -> begun.get() == count);
    }

    /** How they went, once all have ended. */
    List<Outcome> outcomes() throws Exception {
        List<Outcome> outcomes = new ArrayList<>();
        for (CompletableFuture<Outcome> stream : running) {
            outcomes.add(stream.get(END_S, TimeUnit.SECONDS));
        }
        return outcomes;
    }

    /** How many have ended. */
    long ended() {
        return running.stream().filter(CompletableFuture::isDone).count();
    }

    /** Whether a stream's text is what the model makes of its prompt. */
    boolean isWhole(int i, Outcome outcome) {
        return outcome.error() == null
                && outcome.text().equals(Expected.full(prompt(i), length).text());
    }

    /** Whether it is the beginning of that text. */
    boolean isBeginning(int i, Outcome outcome) {
        return Expected.full(prompt(i), length).text().startsWith(outcome.text());
    }

    private Outcome stream(Api api, int i) {
        StringBuilder text = new StringBuilder();
        List<Integer> ranks = new ArrayList<>();
        List<Long> gaps = new ArrayList<>();
        String error = null;
        long longestNs = 0;
        long lastNs = 0;
        try (Api.Events events = api.stream("/generate", body(i))) {
            for (JsonNode event = events.next(); event != null; event = events.next()) {
                JsonNode finish = event.path("meta_info").path("finish_reason");
                if (event.has("error")) {
                    error = event.get("error").get("message").asText();
                    continue;
                }
                if ("abort".equals(finish.path("type").asText())) {
                    error = finish.get("message").asText();
                }
                long nowNs = System.nanoTime();
                if (lastNs == 0) {
                    begun.incrementAndGet();
                } else {
                    gaps.add(nowNs - lastNs);
                    longestNs = Math.max(longestNs, nowNs - lastNs);
                }
                lastNs = nowNs;
                int rank = event.get("meta_info").get("dp_rank").asInt();
                if (ranks.isEmpty() || ranks.get(ranks.size() - 1) != rank) {
                    ranks.add(rank);
                }
                text.append(event.get("text").asText());
            }
        } catch (UncheckedIOException | AssertionError e) {
            error = "connection: " + e.getMessage();
        }
        return new Outcome(ranks, text.toString(), error, longestNs, gaps);
    }

    private static int[] prompt(int i) {
        return Expected.encode("stream number " + i);
    }

    private Map<String, Object> body(int i) {
        return Map.of(
                "input_ids",
                prompt(i),
                "stream",
                true,
                "sampling_params",
                Map.of("max_new_tokens", length, "ignore_eos", true));
    }

    @Override
    public void close() {
        threads.shutdownNow();
    }
}
