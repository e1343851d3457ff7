package dpserve.it;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** A rank killed under streams: its requests end at once with an error, all others are whole. */
class KillRankIT {
    private static final int RANKS = 4;
    private static final int STREAMS = 16;
    private static final int LENGTH = 120;
    private static final int VICTIM = 2;

    /** Detection within 1 s (heartbeats), and as much again for everything else on a busy machine. */
    private static final Duration END_AT_ONCE = Duration.ofSeconds(3);

    /** How one stream went. */
    private record Outcome(int rank, String text, String error, long endedNs) {}

    @Test
    void shouldEndOnlyTheRequestsOfADeadRank() throws Exception {
        try (Topology topology =
                Topology.start("--dp-size", Integer.toString(RANKS), "--load-balance-method", "round_robin")) {
            ExecutorService threads = Executors.newFixedThreadPool(STREAMS);
            AtomicInteger streaming = new AtomicInteger();
            List<CompletableFuture<Outcome>> outcomes = IntStream.range(0, STREAMS)
                    .mapToObj(i -> CompletableFuture.supplyAsync(() -> stream(topology.api(), i, streaming), threads))
                    .toList();
            await().atMost(Duration.ofSeconds(30)).until(() -> streaming.get() == STREAMS);

            topology.kill(topology.rank(VICTIM));
            long killedNs = System.nanoTime();

            int lost = 0;
            for (int i = 0; i < STREAMS; i++) {
                Outcome outcome = outcomes.get(i).get(60, TimeUnit.SECONDS);
                if (outcome.rank() == VICTIM) {
                    lost++;
                    assertThat(outcome.error())
                            .as("error of a request of the dead rank")
                            .contains("rank " + VICTIM);
                    assertThat(Duration.ofNanos(outcome.endedNs() - killedNs)).isLessThan(END_AT_ONCE);
                    assertThat(Expected.full(prompt(i), LENGTH).text()).startsWith(outcome.text());
                } else {
                    assertThat(outcome.error()).isNull();
                    assertThat(outcome.text())
                            .isEqualTo(Expected.full(prompt(i), LENGTH).text());
                }
            }
            threads.shutdown();
            assertThat(lost).as("streams on the dead rank").isEqualTo(STREAMS / RANKS);
            shouldServeWithoutTheDeadRank(topology);
            assertThat(topology.launcher().errors())
                    .singleElement()
                    .asString()
                    .contains("scheduler " + VICTIM)
                    .contains("SIGKILL");
        }
    }

    private static void shouldServeWithoutTheDeadRank(Topology topology) {
        for (int i = 0; i < 2 * RANKS; i++) {
            int[] prompt = prompt(100 + i);
            Api.Reply reply = topology.api().post("/generate", body(prompt, 5, false));
            assertThat(reply.status()).as(reply.body()).isEqualTo(200);
            assertThat(reply.json().get("text").asText())
                    .isEqualTo(Expected.full(prompt, 5).text());
            assertThat(reply.json().get("meta_info").get("dp_rank").asInt()).isNotEqualTo(VICTIM);
        }
        ServerInfo.awaitEmpty(topology.api());
    }

    private static Outcome stream(Api api, int i, AtomicInteger streaming) {
        int rank = -1;
        String text = "";
        String error = null;
        try (Api.Events events = api.stream("/generate", body(prompt(i), LENGTH, true))) {
            for (JsonNode event = events.next(); event != null; event = events.next()) {
                if (event.has("error")) {
                    error = event.get("error").get("message").asText();
                    continue;
                }
                JsonNode finish = event.get("meta_info").get("finish_reason");
                if (finish != null && "abort".equals(finish.path("type").asText())) {
                    error = finish.get("message").asText();
                }
                if (rank < 0) {
                    streaming.incrementAndGet();
                }
                rank = event.get("meta_info").get("dp_rank").asInt();
                text = event.get("text").asText();
            }
        }
        return new Outcome(rank, text, error, System.nanoTime());
    }

    private static int[] prompt(int i) {
        return Expected.encode("stream number " + i);
    }

    private static Map<String, Object> body(int[] prompt, int length, boolean stream) {
        return Map.of(
                "input_ids",
                prompt,
                "stream",
                stream,
                "sampling_params",
                Map.of("max_new_tokens", length, "ignore_eos", true));
    }
}
