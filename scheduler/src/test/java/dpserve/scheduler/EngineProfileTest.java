package dpserve.scheduler;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dpserve.io.message.TokenizedGenerateReqInput;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Properties;
import org.junit.jupiter.api.Test;

class EngineProfileTest {
    @Test
    void shouldTakeTheExperimentsDecodeStepByDefault() {
        List<Request> requests = new ArrayList<>();
        for (int i = 0; i < 25; i++) {
            requests.add(request());
        }
        int[] from = new int[25];
        int[] to = new int[25];
        Arrays.fill(to, 17_100 / 25);
        Arrays.fill(from, 17_100 / 25 - 1);
        Batch step = new Batch(Batch.Mode.DECODE, requests, from, to);
        assertThat(EngineProfile.defaultProfile().durationNs(step) / 1e6).isCloseTo(48.1, within(0.001));
    }

    @Test
    void shouldTimePrefillByTheTokensItComputes() {
        EngineProfile profile = new EngineProfile(10, 0.5, 1, 1, 1);
        Batch step = new Batch(Batch.Mode.PREFILL, List.of(request(), request()), new int[] {5, 0}, new int[] {10, 3});
        assertThat(profile.durationNs(step)).isEqualTo(14_000_000);
    }

    @Test
    void shouldNameTheKeyThatIsWrong() {
        Properties p = new Properties();
        p.setProperty("prefill_base_ms", "1");
        assertThatThrownBy(() -> EngineProfile.of(p)).hasMessageContaining("prefill_per_token_ms");
        p.setProperty("prefill_per_token_ms", "x");
        assertThatThrownBy(() -> EngineProfile.of(p)).hasMessageContaining("prefill_per_token_ms");
        p.setProperty("prefill_per_token_ms", "0.1");
        p.setProperty("decode_base_ms", "1");
        p.setProperty("decode_per_request_ms", "1");
        p.setProperty("decode_per_kv_token_ms", "0");
        assertThat(EngineProfile.of(p)).isEqualTo(new EngineProfile(1, 0.1, 1, 1, 0));
        p.setProperty("decode_typo", "1");
        assertThatThrownBy(() -> EngineProfile.of(p)).hasMessageContaining("decode_typo");
    }

    private static Request request() {
        return new Request(TokenizedGenerateReqInput.of("r", null, new int[] {1}, Params.tokens(4), true), 4, 1, 0);
    }
}
