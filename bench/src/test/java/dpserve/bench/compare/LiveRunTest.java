package dpserve.bench.compare;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LiveRunTest {
    @Test
    void shouldReadTheSettingsThatTheScriptWrites(@TempDir Path folder) throws IOException {
        Path file = folder.resolve("settings.properties");
        Files.writeString(
                file,
                "method=random\nreport=watch\ndelay_ms=2.5\ntime_scale=0.5\nseed=7\ndp_attention=true\npd_separated=false\n"
                        + "began_s=1763871234.125\ncommand=scripts/launch.sh --dp 4\n");

        assertThat(LiveRun.Settings.read(file))
                .isEqualTo(new LiveRun.Settings(
                        "random", "watch", 2.5, 0.5, 7, true, false, 1763871234.125, "scripts/launch.sh --dp 4"));
    }
}
