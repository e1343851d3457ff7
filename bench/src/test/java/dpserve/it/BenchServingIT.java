package dpserve.it;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** scripts/bench-serving.sh against a running topology, from a folder of its own. */
class BenchServingIT {

    @TempDir
    private Path folder;

    @Test
    void shouldMeasureAndVerifyEveryApi() throws IOException {
        try (Topology topology = Topology.start("--dp-size", "2", "--time-scale", "0")) {
            for (String backend : List.of("sglang", "sglang-oai", "sglang-oai-chat")) {
                Script script = bench(topology, "--backend", backend, "--dataset-name", "random");

                assertThat(script.exitStatus()).as(script.output()).isZero();
                assertThat(script.output().lines())
                        .contains("============ Serving Benchmark Result ============")
                        .contains("Backend:                                 " + String.format("%-10s", backend))
                        .contains("Successful requests:                     60        ")
                        .contains("Verify: 60 replies as expected, 0 wrong, 0 lost, 0 doubled, 0 failed");
            }
            List<String> results = Files.readAllLines(folder.resolve("result.jsonl"));
            assertThat(results).hasSize(3);
            JsonNode first = new ObjectMapper().readTree(results.get(0));
            assertThat(first.path("completed").asInt()).isEqualTo(60);
            assertThat(first.path("server_info").path("version").isMissingNode())
                    .isFalse();
            assertThat(first.path("verify").path("correct").asInt()).isEqualTo(60);
            ServerInfo.awaitEmpty(topology.api());
        }
    }

    @Test
    void shouldSayInOneLineWhatIsWrong() {
        Script script = Script.start(
                folder,
                Map.of(),
                "bench-serving.sh",
                List.of("--no-build", "--dataset-name", "random", "--request-rate", "0"));

        assertThat(script.exitStatus()).isEqualTo(2);
        assertThat(script.output())
                .isEqualTo("error: --request-rate must be above 0 requests per second or inf, not 0.0");
    }

    private Script bench(Topology topology, String... flags) {
        List<String> arguments = new ArrayList<>(List.of(
                "--no-build",
                "--port",
                Integer.toString(topology.port()),
                "--num-prompts",
                "60",
                "--random-input-len",
                "50",
                "--random-output-len",
                "40",
                "--max-concurrency",
                "20",
                "--verify",
                "--disable-ignore-eos",
                "--output-file",
                "result.jsonl"));
        arguments.addAll(List.of(flags));
        Script script = Script.start(folder, Map.of(), "bench-serving.sh", arguments);
        script.exitStatus();
        return script;
    }
}
