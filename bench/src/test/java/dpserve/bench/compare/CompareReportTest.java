package dpserve.bench.compare;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dpserve.bench.dataset.DatasetRow;
import dpserve.bench.dataset.Prompt;
import dpserve.bench.dataset.PromptTokens;
import dpserve.bench.dataset.TokenRun;
import dpserve.tokenizer.JtokkitVocabulary;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CompareReportTest {
    @TempDir
    Path folder;

    private LiveRun live(String name) throws IOException {
        Files.writeString(
                folder.resolve("steps-0.csv"),
                "step,end_s,wall_ms,modelled_ms,own_ms,num_running_reqs,num_waiting_reqs,num_tokens,num_used_tokens\n"
                        + "1,10.5,5,5,5,3,1,40,30\n");
        StepRows steps = StepRows.read(folder, 0, false);
        JsonNode result = new ObjectMapper().readTree("{\"duration\": 8, \"request_throughput\": 2}");
        LiveRun.Settings settings = new LiveRun.Settings("random", "watch", 0, 0.5, 7, false, false, 0, "");
        return new LiveRun(name, settings, result, steps, steps.imbalance(20), 0.25, List.of(), new double[] {1, 2});
    }

    @Test
    void shouldPutThePublishedColumnsBeforeTheMeasuredAndEachSimulatedOneBehindItsOwn() throws IOException {
        LiveRun first = live("a");
        List<DatasetRow> rows =
                Collections.nCopies(4, new DatasetRow(new Prompt.Tokens(new TokenRun.Words(1, 5)), 5, 3));
        SimulatedRun simulated = SimulatedRun.of(
                first.settings(), 2, rows, new long[4], null, new PromptTokens(new JtokkitVocabulary()));
        CompareReport report = new CompareReport(List.of(first, live("b")), Map.of("a", simulated), true);

        List<String> lines = report.csv().text().lines().toList();
        assertThat(lines)
                .filteredOn(line -> line.contains(",Request throughput (req/s),"))
                .extracting(line -> line.substring(0, line.lastIndexOf(',')))
                .containsExactly(
                        "watch / shortest_queue,published,Request throughput (req/s)",
                        "piggyback / shortest_queue,published,Request throughput (req/s)",
                        "a,live,Request throughput (req/s)",
                        "a,simulated,Request throughput (req/s)",
                        "b,live,Request throughput (req/s)");
        assertThat(lines)
                .contains("a,live,Request throughput (req/s),1.0", "a,live,Benchmark duration (s),16.0")
                .containsSubsequence(
                        "a,live,Barrier idle fraction,0.0",
                        "a,live,Steps that overran,0.25",
                        "a,simulated,Barrier idle fraction,0.0",
                        "b,live,Most requests held by a rank,4.0");
        assertThat(report.page("w", List.of("c"), List.of("f")).html())
                .contains("published, polling", "a, simulated", "b, live")
                .doesNotContain("Steps that overran");
    }
}
