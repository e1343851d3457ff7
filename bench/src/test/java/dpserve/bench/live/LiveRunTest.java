package dpserve.bench.live;

import static org.assertj.core.api.Assertions.assertThat;

import dpserve.bench.BenchConfig;
import dpserve.bench.ScriptedServer;
import dpserve.bench.ScriptedServer.Script;
import dpserve.bench.dataset.DatasetRow;
import dpserve.bench.dataset.Prompt;
import dpserve.bench.dataset.TokenRun;
import dpserve.bench.metrics.RequestOutcome;
import dpserve.tokenizer.JtokkitVocabulary;
import java.util.List;
import org.junit.jupiter.api.Test;

class LiveRunTest {
    private static final JtokkitVocabulary VOCABULARY = new JtokkitVocabulary();

    @Test
    void shouldSendTheRowsItIsGiven() throws InterruptedException {
        Prompt prompt = new Prompt.Tokens(new TokenRun.Words(1, 5));
        List<DatasetRow> rows = List.of(new DatasetRow(prompt, 5, 3), new DatasetRow(prompt, 5, 7));
        try (ScriptedServer server = new ScriptedServer(VOCABULARY, new Script(1, 1, 3))) {
            BenchConfig config = BenchConfig.parse(
                    "--base-url", server.url(), "--dataset-name", "random", "--tokenize-prompt", "--verify");
            LiveRun run = LiveRun.measure(VOCABULARY, config, rows, "least_requests", 500);
            assertThat(server.calls).containsSubsequence("PUT /load_balance", "POST /flush_cache?timeout=60.0");
            assertThat(run.result().outcomes())
                    .extracting(RequestOutcome::outputLen)
                    .containsExactlyInAnyOrder(3, 7);
            assertThat(run.bad()).isZero();
        }
    }
}
