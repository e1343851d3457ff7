package dpserve.it;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** With --restart a rank that died is followed by another process, under the same dp_rank. */
class RestartIT {
    /** The launcher's first wait, the start of a JVM, and as much again on a busy machine. */
    private static final Duration BACK = Duration.ofSeconds(20);

    @Test
    void shouldFollowRanksThatDieAtTheSameMoment() {
        try (Topology topology = Topology.start("--dp-size", "2", "--restart", "--time-scale", "0")) {
            topology.kill(topology.rank(0));
            topology.kill(topology.rank(1));
            // Sent with no rank there at all: it waits for one.
            int[] prompt = Expected.encode("who is there");
            Api.Reply reply = topology.api()
                    .post(
                            "/generate",
                            Map.of(
                                    "input_ids",
                                    prompt,
                                    "sampling_params",
                                    Map.of("max_new_tokens", 5, "ignore_eos", true)));
            assertThat(reply.status()).as(reply.body()).isEqualTo(200);
            assertThat(reply.json().get("text").asText())
                    .isEqualTo(Expected.full(prompt, 5).text());
            List<String> output = topology.launcher().errors();
            await().atMost(BACK)
                    .until(() -> topology.launcher().output().contains("scheduler 0 is ready again")
                            && topology.launcher().output().contains("scheduler 1 is ready again"));
            assertThat(output).hasSize(2).allMatch(line -> line.contains("SIGKILL"));
            await().atMost(BACK).until(() -> topology.api().get("/health").status() == 200);
            ServerInfo.awaitEmpty(topology.api());
        }
    }

    @Test
    void shouldStopWhenTheLastRanksDieTogether() {
        Topology topology = Topology.start("--dp-size", "2", "--time-scale", "0");
        topology.kill(topology.rank(0));
        topology.kill(topology.rank(1));
        assertThat(topology.launcher().exitStatus()).isEqualTo(1);
        assertThat(topology.launcher().errors()).hasSize(3).last().asString().contains("no rank is left");
        topology.deleteFolder();
    }
}
