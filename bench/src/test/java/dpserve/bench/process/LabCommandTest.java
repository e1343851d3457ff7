package dpserve.bench.process;

import static org.assertj.core.api.Assertions.assertThat;

import dpserve.io.process.CommandRunner;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LabCommandTest {
    @TempDir
    Path folder;

    private int lab(String... more) {
        String[] fixed = {"--lab", "--seeds", "2", "--num-prompts", "40", "--output", page().toString()};
        String[] flags = new String[fixed.length + more.length];
        System.arraycopy(fixed, 0, flags, 0, fixed.length);
        System.arraycopy(more, 0, flags, fixed.length, more.length);
        return CommandRunner.execute(new LabCommand(), flags);
    }

    private Path page() {
        return folder.resolve("out/lab.html");
    }

    @Test
    void shouldWriteTheSamePageHoweverManyThreads() throws Exception {
        assertThat(lab("--workloads", "pr_11469", "--delays-ms", "0,500", "--threads", "1"))
                .isZero();
        String csv = Files.readString(folder.resolve("out/lab.csv"));
        String html = Files.readString(page());

        assertThat(lab("--workloads", "pr_11469", "--delays-ms", "0,500", "--threads", "3"))
                .isZero();

        assertThat(Files.readString(folder.resolve("out/lab.csv"))).isEqualTo(csv);
        String body = html.substring(0, html.indexOf("<footer>"));
        assertThat(Files.readString(page())).startsWith(body);
        // 3 loads, 2 seeds; of 6 policies 3 read no report and run once.
        assertThat(csv.lines()).hasSize(1 + 3 * 2 * (3 + 3 * 2));
    }

    @Test
    void shouldNameTheFlagThatIsWrong() {
        assertThat(lab("--workloads", "nothing")).isEqualTo(CommandRunner.USAGE);
        assertThat(lab("--policies", "fastest")).isEqualTo(CommandRunner.USAGE);
        assertThat(CommandRunner.execute(new ScenarioCommand(), new String[] {"--scenario", "11"}))
                .isEqualTo(CommandRunner.USAGE);
        assertThat(page()).doesNotExist();
    }
}
