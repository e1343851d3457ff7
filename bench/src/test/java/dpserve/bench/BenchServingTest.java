package dpserve.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import dpserve.bench.ScriptedServer.Script;
import dpserve.bench.metrics.RequestOutcome;
import dpserve.bench.metrics.RequestOutcome.Ending;
import dpserve.tokenizer.JtokkitVocabulary;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class BenchServingTest {
    private static final JtokkitVocabulary VOCABULARY = new JtokkitVocabulary();

    private final List<String> log = new ArrayList<>();

    private BenchResult run(ScriptedServer server, String... flags) throws InterruptedException {
        String[] all = Stream.concat(
                        Stream.of(
                                "--base-url",
                                server.url(),
                                "--random-input-len=20",
                                "--random-output-len=10",
                                "--random-range-ratio=1"),
                        Arrays.stream(flags))
                .toArray(String[]::new);
        return new BenchServing(VOCABULARY, Map.of(), log::add, total -> done -> {}).measure(BenchConfig.parse(all));
    }

    /** What the server spent is a lower bound of what the client sees; how much more it sees depends on the machine. */
    @Test
    void shouldMeasureTheServersTimes() throws InterruptedException {
        try (ScriptedServer server = new ScriptedServer(VOCABULARY, new Script(60, 20, 2))) {
            BenchResult r = run(server, "--dataset-name=random", "--num-prompts=8", "--max-concurrency=4", "--verify");

            assertThat(r.metrics().completed()).isEqualTo(8);
            assertThat(r.metrics().totalInput()).isEqualTo(160);
            assertThat(r.metrics().totalOutput()).isEqualTo(80);
            assertThat(r.verify().correct()).isEqualTo(8);
            assertThat(r.isGood()).isTrue();
            for (RequestOutcome o : r.outcomes()) {
                assertThat(o.promptLen()).isEqualTo(20);
                assertThat(o.ttftS()).isBetween(0.059, 1.0);
                assertThat(o.latencyS()).isBetween(0.138, 2.0);
                assertThat(o.itlS()).hasSize(8);
                assertThat(Arrays.stream(o.itlS()).sum()).isBetween(0.070, 1.0);
                assertThat(o.sendLagS()).isBetween(0.0, 0.5);
            }
            assertThat(r.outcomes()).extracting(RequestOutcome::dpRank).containsOnly(0, 1, 2, 3);
            assertThat(server.mostInFlight).hasValueBetween(2, 4);
            assertThat(r.metrics().concurrency()).isBetween(1.5, 4.0);
            assertThat(r.serverInfo().path("version").asText()).isEqualTo("scripted");
            assertThat(r.client().events()).isEqualTo(8 * 6);
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "--backend=sglang",
                "--backend=sglang --tokenize-prompt",
                "--backend=sglang --disable-stream",
                "--backend=sglang --disable-ignore-eos",
                "--backend=sglang-oai",
                "--backend=sglang-oai --disable-stream",
                "--backend=sglang-oai-chat --extra-request-body={\"min_tokens\":5}"
            })
    void shouldFindEveryReplyAsExpected(String flags) throws InterruptedException {
        try (ScriptedServer server = new ScriptedServer(VOCABULARY, new Script(1, 1, 3))) {
            BenchResult r = run(server, ("--dataset-name=random --num-prompts=30 --verify " + flags).split(" "));

            assertThat(r.verify().summary())
                    .isEqualTo("Verify: 30 replies as expected, 0 wrong, 0 lost, 0 doubled, 0 failed");
            assertThat(r.metrics().totalOutputRetokenized()).isPositive();
        }
    }

    @ParameterizedTest
    @CsvSource({
        "wrong, 11, 1, 0, 0, 0", "lost, 11, 0, 1, 0, 0", "doubled, 11, 0, 0, 1, 0",
        "cut, 11, 0, 1, 0, 0", "error, 11, 0, 0, 0, 1", "busy, 11, 0, 0, 0, 1"
    })
    void shouldFindTheOneReplyThatIsNot(String fault, int correct, int wrong, int lost, int doubled, int failed)
            throws InterruptedException {
        // Number 0 is the warm-up request.
        try (ScriptedServer server = new ScriptedServer(VOCABULARY, new Script(1, 1, 3, fault, 5))) {
            BenchResult r = run(server, "--dataset-name=random", "--num-prompts=12", "--verify");

            assertThat(r.verify())
                    .extracting("correct", "wrong", "lost", "doubled", "failed")
                    .containsExactly(correct, wrong, lost, doubled, failed);
            assertThat(r.verify().firstProblem()).contains("request ");
            assertThat(r.isGood()).isEqualTo(wrong + lost + doubled == 0);
        }
    }

    @Test
    void shouldNameWhatTheServerSaidOfAFailedRequest() throws InterruptedException {
        try (ScriptedServer server = new ScriptedServer(VOCABULARY, new Script(1, 1, 3, "busy", 1))) {
            BenchResult r = run(server, "--dataset-name=random", "--num-prompts=3", "--max-concurrency=1");

            assertThat(r.metrics().completed()).isEqualTo(2);
            assertThat(r.outcomes().get(0))
                    .extracting("ending", "problem")
                    .containsExactly(Ending.FAILED, "Service Unavailable: {\"error\":{\"message\":\"queue full\"}}");
        }
    }

    @Test
    void shouldSendAtTheRateWhateverTheServerDoes() throws InterruptedException {
        try (ScriptedServer server = new ScriptedServer(VOCABULARY, new Script(300, 1, 10))) {
            BenchResult r = run(server, "--dataset-name=random", "--num-prompts=20", "--request-rate=100", "--seed=3");

            List<RequestOutcome> o = r.outcomes();
            assertThat(o.get(0).startS()).isZero();
            assertThat(o).extracting(RequestOutcome::startS).isSorted();
            assertThat(o.get(19).startS()).isBetween(0.05, 0.6);
            assertThat(server.mostInFlight).as("nobody waited for a reply").hasValueGreaterThan(8);
            assertThat(r.requestRate()).isEqualTo("100.0");
        }
    }

    @Test
    void shouldHoldConversationsRoundByRound() throws InterruptedException {
        try (ScriptedServer server = new ScriptedServer(VOCABULARY, new Script(1, 1, 100))) {
            BenchResult r = run(
                    server,
                    "--backend=sglang-oai-chat",
                    "--dataset-name=generated-shared-prefix",
                    "--gsp-num-groups=2",
                    "--gsp-prompts-per-group=1",
                    "--gsp-num-turns=3",
                    "--gsp-system-prompt-len=5",
                    "--warmup-requests=0",
                    "--max-concurrency=1",
                    "--verify");

            assertThat(r.metrics().completed()).isEqualTo(6);
            assertThat(r.verify().correct()).isEqualTo(6);
            JsonNode last = server.requests.get(2).path("messages");
            assertThat(last.findValuesAsText("role")).containsExactly("user", "assistant", "user", "assistant", "user");
            assertThat(last.path(1).path("content").asText())
                    .isEqualTo(r.outcomes().get(0).text());
            assertThat(r.metrics().totalInput())
                    .isEqualTo(r.outcomes().stream()
                            .mapToInt(RequestOutcome::promptLen)
                            .sum());
        }
    }

    @Test
    void shouldWarmUpThenFlushThenRun() throws InterruptedException {
        try (ScriptedServer server = new ScriptedServer(VOCABULARY, new Script(1, 1, 10))) {
            BenchResult r = run(
                    server,
                    "--dataset-name=random",
                    "--random-output-len=100",
                    "--num-prompts=2",
                    "--warmup-requests=3",
                    "--flush-cache",
                    "--pd-separated",
                    "--cache-report",
                    "--goodput",
                    "e2el:60000");

            assertThat(server.requests).hasSize(5);
            assertThat(server.requests.subList(0, 3))
                    .allMatch(b ->
                            b.path("sampling_params").path("max_new_tokens").asInt() == 32);
            assertThat(server.calls).containsExactly("POST /flush_cache?timeout=60.0");
            assertThat(r.serverInfo().path("version").asText()).isEqualTo("d");
            assertThat(r.cache().cachedTokens()).isEqualTo(2);
            assertThat(r.goodput().attainment()).isEqualTo(1);
            assertThat(log).contains("#Input tokens: 40", "#Output tokens: 200");
        }
    }

    @Test
    void shouldSayWhyNothingCanBeMeasured() {
        try (ScriptedServer server = new ScriptedServer(VOCABULARY, new Script(1, 1, 3, "busy", 0))) {
            assertThatThrownBy(() -> run(server, "--dataset-name=random"))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("no warm-up request succeeded: Service Unavailable");
        }
        assertThatThrownBy(() -> BenchServing.run(BenchConfig.parse(
                        "--dataset-name=random", "--base-url=http://127.0.0.1:1", "--ready-check-timeout-sec=1")))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("http://127.0.0.1:1 gave no list of models");
    }

    @Test
    void shouldGiveUpARequestThatNeverEnds() throws InterruptedException {
        try (ScriptedServer server = new ScriptedServer(VOCABULARY, new Script(60_000, 1, 3))) {
            BenchResult r = run(
                    server,
                    "--dataset-name=random",
                    "--num-prompts=2",
                    "--warmup-requests=0",
                    "--request-timeout-sec=1");

            assertThat(r.outcomes())
                    .allMatch(o -> o.ending() == Ending.LOST && o.problem().equals("no end within 1 s"));
            assertThat(r.isGood()).isFalse();
        }
    }
}
