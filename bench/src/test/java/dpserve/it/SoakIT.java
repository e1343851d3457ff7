package dpserve.it;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Many requests, streaming and not, some aborted, some abandoned by their client, without simulated waiting: every reply
 * is the expected one, every table is empty afterwards, and no log tells of an error. {@code scripts/dev/soak.sh} runs
 * the long form over all shapes.
 */
class SoakIT {
    private static final int REQUESTS = Integer.getInteger("soak.requests", 1_000);
    private static final int IN_FLIGHT = Integer.getInteger("soak.in-flight", 200);
    private static final long SEED = Long.getLong("soak.seed", 1L);

    /** Tokenizers x detokenizers. */
    static Stream<String> shapes() {
        return Stream.of(System.getProperty("soak.shapes", "1x1,4x2").split(","));
    }

    @ParameterizedTest
    @MethodSource("shapes")
    void shouldAnswerEveryRequestAsExpected(String shape) {
        String[] counts = shape.split("x");
        try (Topology topology = Topology.start(
                "--dp-size",
                "4",
                "--load-balance-method",
                "shortest_queue",
                "--time-scale",
                "0",
                "--tokenizer-worker-num",
                counts[0],
                "--detokenizer-worker-num",
                counts[1])) {
            SoakClient client = new SoakClient(topology.api(), SEED);
            long beganNs = System.nanoTime();
            run(client);
            double seconds = (System.nanoTime() - beganNs) / 1e9;
            System.out.printf(
                    "soak: %s: %d requests in %.1f s (%.0f/s): %s, %s%n",
                    shape, REQUESTS, seconds, REQUESTS / seconds, client.tally(), topology.cpuTimes());
            assertThat(client.wrong())
                    .as("replies that were not as expected, seed %d", SEED)
                    .isEmpty();
            assertThat(client.tally().aborted())
                    .as("aborts that met a running request")
                    .isPositive();
            ServerInfo.awaitEmpty(topology.api());
        }
    }

    private static void run(SoakClient client) {
        ExecutorService threads = Executors.newFixedThreadPool(IN_FLIGHT);
        AtomicInteger next = new AtomicInteger();
        List<CompletableFuture<Void>> all = IntStream.range(0, IN_FLIGHT)
                .mapToObj(t -> CompletableFuture.runAsync(
                        () -> {
                            for (int i = next.getAndIncrement(); i < REQUESTS; i = next.getAndIncrement()) {
                                client.request(i);
                            }
                        },
                        threads))
                .toList();
        all.forEach(CompletableFuture::join);
        threads.shutdown();
    }
}
