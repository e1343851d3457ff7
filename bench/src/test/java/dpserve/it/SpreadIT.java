package dpserve.it;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/**
 * 100 requests at once on 4 idle ranks, shortest_queue with piggybacked load: each rank gets 25, give or take 2. One run
 * by default; {@code scripts/dev/spread.sh} makes it ten and reports them.
 */
class SpreadIT {
    private static final int RUNS = Integer.getInteger("spread.runs", 1);
    private static final int RANKS = 4;
    private static final int REQUESTS = 100;
    private static final int EVEN = REQUESTS / RANKS;
    private static final int TOLERANCE = 2;

    @Test
    void shouldSpreadABurstEvenly() {
        try (Topology topology = Topology.start(
                "--dp-size",
                Integer.toString(RANKS),
                "--load-balance-method",
                "shortest_queue",
                "--load-report",
                "piggyback")) {
            for (int run = 1; run <= RUNS; run++) {
                ServerInfo.awaitEmpty(topology.api());
                int[] perRank = burst(topology.api(), run);
                int spread = Arrays.stream(perRank).max().orElseThrow()
                        - Arrays.stream(perRank).min().orElseThrow();
                System.out.println("spread: run " + run + " of " + RUNS + ": requests per rank "
                        + Arrays.toString(perRank) + ", max - min " + spread);
                assertThat(Arrays.stream(perRank).boxed())
                        .as("run %d", run)
                        .allMatch(n -> Math.abs(n - EVEN) <= TOLERANCE);
            }
        }
    }

    private static int[] burst(Api api, int run) {
        List<CompletableFuture<Api.Reply>> replies = IntStream.range(0, REQUESTS)
                .mapToObj(i -> api.postAsync(
                        "/generate",
                        Map.of(
                                "text",
                                "run " + run + " request " + i,
                                "sampling_params",
                                Map.of("max_new_tokens", 20, "ignore_eos", true))))
                .toList();
        int[] perRank = new int[RANKS];
        for (CompletableFuture<Api.Reply> reply : replies) {
            assertThat(reply.join().status()).as(reply.join().body()).isEqualTo(200);
            perRank[reply.join().json().get("meta_info").get("dp_rank").asInt()]++;
        }
        return perRank;
    }
}
