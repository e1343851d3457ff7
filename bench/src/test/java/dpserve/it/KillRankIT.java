package dpserve.it;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** A rank that dies under streams: its requests go on elsewhere, or end at once with an error; all others are whole. */
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
    void shouldEndOnlyTheRequestsOfADeadRankIfAskedTo() throws Exception {
        try (Topology topology = start("--on-rank-failure", "fail")) {
            List<Outcome> outcomes = killUnderStreams(topology);
            int lost = 0;
            for (int i = 0; i < STREAMS; i++) {
                Outcome outcome = outcomes.get(i);
                if (outcome.rank() == VICTIM) {
                    lost++;
                    assertThat(outcome.error())
                            .as("error of a request of the dead rank")
                            .contains("rank " + VICTIM);
                    assertThat(Expected.full(prompt(i), LENGTH).text()).startsWith(outcome.text());
                } else {
                    shouldBeWhole(i, outcome);
                }
            }
            assertThat(lost).as("streams on the dead rank").isEqualTo(STREAMS / RANKS);
            shouldServeWithoutTheDeadRank(topology);
            assertThat(topology.launcher().errors())
                    .singleElement()
                    .asString()
                    .contains("scheduler " + VICTIM)
                    .contains("SIGKILL");
        }
    }

    @Test
    void shouldGoOnElsewhereWithTheRequestsOfADeadRank() throws Exception {
        try (Topology topology = start("--tokenizer-worker-num", "2", "--detokenizer-worker-num", "2")) {
            List<Outcome> outcomes = killUnderStreams(topology);
            for (int i = 0; i < STREAMS; i++) {
                shouldBeWhole(i, outcomes.get(i));
                assertThat(outcomes.get(i).rank()).isNotEqualTo(VICTIM);
            }
            assertThat(resumed(topology.api())).isEqualTo(STREAMS / RANKS);
            shouldServeWithoutTheDeadRank(topology);
        }
    }

    private static Topology start(String... flags) {
        List<String> all =
                new ArrayList<>(List.of("--dp-size", Integer.toString(RANKS), "--load-balance-method", "round_robin"));
        all.addAll(List.of(flags));
        return Topology.start(all.toArray(String[]::new));
    }

    /** All streams have begun when the rank is killed; each returned outcome has ended in time. */
    private static List<Outcome> killUnderStreams(Topology topology) throws Exception {
        try (Streams streams = new Streams(topology.api())) {
            topology.kill(topology.rank(VICTIM));
            return streams.outcomes();
        }
    }

    private static void shouldBeWhole(int i, Outcome outcome) {
        assertThat(outcome.error()).isNull();
        assertThat(outcome.text()).isEqualTo(Expected.full(prompt(i), LENGTH).text());
    }

    private static int resumed(Api api) {
        int resumed = 0;
        for (JsonNode process : ServerInfo.processes(api)) {
            resumed += process.path("counters").path("resumed").asInt();
        }
        return resumed;
    }

    private static void shouldServeWithoutTheDeadRank(Topology topology) {
        assertThat(serve(topology)).doesNotContain(VICTIM);
    }

    /** Serves two requests for each rank and is empty afterwards; returns the ranks that answered. */
    private static Set<Integer> serve(Topology topology) {
        Set<Integer> ranks = new HashSet<>();
        for (int i = 0; i < 2 * RANKS; i++) {
            int[] prompt = prompt(100 + i);
            Api.Reply reply = topology.api().post("/generate", body(prompt, 5, false));
            assertThat(reply.status()).as(reply.body()).isEqualTo(200);
            assertThat(reply.json().get("text").asText())
                    .isEqualTo(Expected.full(prompt, 5).text());
            ranks.add(reply.json().get("meta_info").get("dp_rank").asInt());
        }
        ServerInfo.awaitEmpty(topology.api());
        return ranks;
    }

    /** Streams that have all begun. */
    private static final class Streams implements AutoCloseable {
        private final ExecutorService threads = Executors.newFixedThreadPool(STREAMS);
        private final List<CompletableFuture<Outcome>> running;
        private final long begunNs;

        Streams(Api api) {
            AtomicInteger streaming = new AtomicInteger();
            running = IntStream.range(0, STREAMS)
                    .mapToObj(i -> CompletableFuture.supplyAsync(() -> stream(api, i, streaming), threads))
                    .toList();
            await().atMost(Duration.ofSeconds(30)).until(() -> streaming.get() == STREAMS);
            begunNs = System.nanoTime();
        }

        /** How they went, once all have ended. */
        List<Outcome> outcomes() throws Exception {
            List<Outcome> outcomes = new ArrayList<>();
            for (CompletableFuture<Outcome> stream : running) {
                outcomes.add(stream.get(60, TimeUnit.SECONDS));
                if (outcomes.get(outcomes.size() - 1).error() != null) {
                    long endedNs = outcomes.get(outcomes.size() - 1).endedNs();
                    assertThat(Duration.ofNanos(endedNs - begunNs))
                            .as("until a failure is told")
                            .isLessThan(END_AT_ONCE);
                }
            }
            return outcomes;
        }

        @Override
        public void close() {
            threads.shutdownNow();
        }
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
