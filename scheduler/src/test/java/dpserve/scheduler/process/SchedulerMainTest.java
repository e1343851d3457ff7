package dpserve.scheduler.process;

import static org.assertj.core.api.Assertions.assertThat;

import dpserve.io.process.CommandRunner;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SchedulerMainTest {
    @ParameterizedTest(name = "{0}")
    @CsvSource({
        "--dp-rank=4, --dp-rank",
        "--time-scale=-1, --time-scale",
        "--time-scale=NaN, --time-scale",
        "--heartbeat-interval-ms=0, --heartbeat-interval-ms",
        "--max-total-tokens=3, --max-total-tokens",
        "--max-queued-requests=0, --max-queued-requests",
        "--chunked-prefill-size=0, --chunked-prefill-size",
        "--schedule-policy=random, --schedule-policy",
        "--schedule-conservativeness=-0.1, --schedule-conservativeness",
        "--engine-profile=/nowhere/x, --engine-profile",
        "--input-endpoint=ipc:///x, --input-endpoint",
        "--disaggregation-mode=both, --disaggregation-mode",
        "--disaggregation-mode=decode --disaggregation-bootstrap-servers=nowhere, --disaggregation-bootstrap-servers",
        "--disaggregation-mode=decode --disaggregation-bootstrap-servers=192.0.2.1:8998, --curve-keys",
        "--token-id-form=int16, --token-id-form",
        "--max-running-requests=many, --max-running-requests"
    })
    void shouldNameTheFlagThatIsWrong(String argument, String flag) {
        PrintStream err = System.err;
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try {
            System.setErr(new PrintStream(bytes, true, StandardCharsets.UTF_8));
            assertThat(CommandRunner.execute(new SchedulerMain(), argument.split(" ")))
                    .isEqualTo(CommandRunner.USAGE);
        } finally {
            System.setErr(err);
        }
        assertThat(bytes.toString(StandardCharsets.UTF_8)).contains("error: ").contains(flag);
    }
}
