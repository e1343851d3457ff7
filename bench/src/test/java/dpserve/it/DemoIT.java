package dpserve.it;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** scripts/demo.sh, from a folder of its own: its lines, its exit status, and what it leaves behind. */
class DemoIT {
    private static final Duration START_TIMEOUT = Duration.ofSeconds(60);
    private static final Duration REAP_TIMEOUT = Duration.ofSeconds(5);
    private static final int EVEN = 25;
    private static final int IN_FLIGHT = 100;
    private static final Pattern LINE = Pattern.compile(
            "(\\w+) +most requests held by a rank: +(\\d+) +P99 TTFT: +(\\d+) ms +" + "wrong or lost tokens: 0");

    @TempDir
    private Path folder;

    private Script demo() {
        return Script.start(folder, Map.of("TMPDIR", folder.toString()), "demo.sh", List.of("--no-build"));
    }

    /** Every process of the demo, once it puts load on its topology. */
    private static List<ProcessHandle> processesUnderLoad(Script demo) {
        await().atMost(START_TIMEOUT).until(() -> demo.output().contains(" in flight on ") || !demo.isRunning());
        return ProcessHandle.of(demo.pid()).orElseThrow().descendants().toList();
    }

    private void assertNothingLeft(List<ProcessHandle> processes) {
        // A launcher, seven processes of the topology, their log writers, a client.
        assertThat(processes).hasSizeGreaterThan(8);
        await().atMost(REAP_TIMEOUT)
                .untilAsserted(() -> assertThat(processes).as("still running").noneMatch(ProcessHandle::isAlive));
        assertThat(folder).isEmptyDirectory();
    }

    @Test
    void shouldShowEachPolicyInALineAndStopEverything() {
        Script demo = demo();
        List<ProcessHandle> processes = processesUnderLoad(demo);

        assertThat(demo.exitStatus()).as(demo.output()).isZero();
        List<Matcher> lines = demo.output()
                .lines()
                .map(LINE::matcher)
                .filter(Matcher::matches)
                .toList();
        assertThat(lines)
                .as(demo.output())
                .extracting(m -> m.group(1))
                .containsExactly("round_robin", "shortest_queue", "least_requests");
        assertThat(lines).allSatisfy(m -> {
            assertThat(Integer.parseInt(m.group(2))).isBetween(EVEN, IN_FLIGHT);
            assertThat(Integer.parseInt(m.group(3))).isPositive();
        });
        assertThat(lines.get(2).group(2)).isEqualTo(Integer.toString(EVEN));
        assertThat(Integer.parseInt(lines.get(0).group(2))).isGreaterThan(EVEN);
        assertThat(demo.output())
                .containsPattern("(?m)^kill -9 of rank 2 with \\d+ requests on it +wrong or lost tokens: 0$");
        assertThat(demo.output()).containsPattern("(?m)^stopped after \\d+ s$");
        assertNothingLeft(processes);
    }

    @Test
    void shouldLeaveNothingBehindAfterCtrlC() {
        Script demo = demo();
        List<ProcessHandle> processes = processesUnderLoad(demo);
        demo.signal("INT");

        assertThat(demo.exitStatus()).as(demo.output()).isEqualTo(130);
        assertNothingLeft(processes);
    }

    @Test
    void shouldNameAWrongFlag() {
        Script demo = Script.run("demo.sh", "--speed", "2");

        assertThat(demo.exitStatus()).isEqualTo(2);
        assertThat(demo.errors()).containsExactly("error: unknown argument --speed (--help lists them)");
    }
}
