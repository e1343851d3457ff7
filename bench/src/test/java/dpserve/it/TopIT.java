package dpserve.it;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** scripts/top.sh beside a running topology, piped and on a terminal. */
class TopIT {
    @Test
    void shouldShowTheRunningTopology(@TempDir Path folder) {
        try (Topology topology = Topology.start("--dp-size", "2", "--time-scale", "0")) {
            topology.api()
                    .post(
                            "/generate",
                            Map.of("rid", "seen", "text", "hello", "sampling_params", Map.of("max_new_tokens", 3)));
            List<String> flags = List.of(
                    "--no-build", "--count", "2", "--url", topology.base().toString());
            Script piped = Script.start(folder, Map.of(), "top.sh", flags);
            assertThat(piped.exitStatus()).as(piped.output()).isZero();
            assertThat(piped.output().lines().filter(l -> l.contains(" dp_rank=1 state=up ")))
                    .hasSize(2);
            assertThat(piped.output()).contains("topology").doesNotContain("\u001b");
        }
        Script gone = Script.start(folder, Map.of(), "top.sh", List.of("--no-build", "--url", "http://127.0.0.1:1"));
        assertThat(gone.exitStatus()).isEqualTo(1);
        assertThat(gone.output()).contains("error: http://127.0.0.1:1: ");
    }
}
