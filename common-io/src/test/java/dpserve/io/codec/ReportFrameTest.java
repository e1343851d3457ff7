package dpserve.io.codec;

import static org.assertj.core.api.Assertions.assertThat;

import dpserve.io.message.EndNotice;
import dpserve.io.message.GetLoadReqOutput;
import dpserve.io.message.WatchLoadUpdateReq;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

class ReportFrameTest {
    private final MessageCodec codec = new MessageCodec(IntArrayForm.INT32);
    private final ReportFrame report = new ReportFrame();

    private static GetLoadReqOutput load(int dpRank, long incarnation, long seq) {
        return new GetLoadReqOutput(
                null, null, dpRank, 70_000, 3, 1 << 20, 12.5, incarnation, seq, 9, 90, 8, 80, 7, 6, 5, 1.0, 0.5, 4);
    }

    private byte[] update(GetLoadReqOutput... loads) {
        return codec.encode(new WatchLoadUpdateReq(null, null, List.of(loads)));
    }

    @Test
    void shouldTellWhichReportItIs() {
        assertThat(report.read(update(load(300, 1_700_000_000_000L, 5_000_000_000L))))
                .isTrue();
        assertThat(report.dpRank()).isEqualTo(300);
        assertThat(report.incarnation()).isEqualTo(1_700_000_000_000L);
        assertThat(report.seq()).isEqualTo(5_000_000_000L);
    }

    @Test
    void shouldKnowAReportWithoutANumber() {
        assertThat(report.read(update(GetLoadReqOutput.legacy(3, 1, 1, 1, 1.0))))
                .isTrue();
        assertThat(report.dpRank()).isEqualTo(3);
        assertThat(report.incarnation()).isZero();
        assertThat(report.seq()).isEqualTo(GetLoadReqOutput.NO_SEQ);
    }

    @Test
    void shouldLeaveEverythingElseToTheCodec() {
        assertThat(report.read(update())).isFalse();
        assertThat(report.read(update(load(0, 1, 1), load(1, 1, 1)))).isFalse();
        assertThat(report.read(update(load(0, 1, 1).answering("rid", "ipc")))).isFalse();
        assertThat(report.read(codec.encode(new EndNotice(new String[0])))).isFalse();
    }

    @Test
    void shouldSurviveEveryCut() {
        byte[] whole = update(load(3, 1_700_000_000_000L, 70_000));
        for (int length = 0; length < whole.length; length++) {
            if (report.read(Arrays.copyOf(whole, length))) {
                assertThat(report.seq()).isEqualTo(70_000); // cut behind it
            }
        }
    }
}
