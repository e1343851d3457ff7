package dpserve.scheduler;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dpserve.io.message.TokenizedGenerateReqInput;
import java.util.List;
import org.junit.jupiter.api.Test;

class NewTokenRatioTest {
    @Test
    void shouldSinkLinearlyToItsFloorIn600Steps() {
        NewTokenRatio ratio = new NewTokenRatio(1.0);
        assertThat(ratio.current()).isEqualTo(0.7);
        for (int i = 0; i < 300; i++) {
            ratio.onDecodeStep();
        }
        assertThat(ratio.current()).isCloseTo(0.7 * (1 + 0.14) / 2, within(1e-9));
        for (int i = 0; i < 1000; i++) {
            ratio.onDecodeStep();
        }
        assertThat(ratio.current()).isCloseTo(0.098, within(1e-9));
        ratio.reset();
        assertThat(ratio.current()).isEqualTo(0.7);
    }

    @Test
    void shouldNotExceedOneHoweverConservative() {
        assertThat(new NewTokenRatio(5.0).current()).isEqualTo(1.0);
    }

    @Test
    void shouldFollowTheFactsAfterARetraction() {
        NewTokenRatio ratio = new NewTokenRatio(1.0);
        Request a = request(100, 30);
        Request b = request(60, 10);
        ratio.onRetraction(List.of(a, b));
        assertThat(ratio.current()).isCloseTo((40.0 + 2 * 20) / 161, within(1e-9));
        ratio.onRetraction(List.of(request(5, 5)));
        assertThat(ratio.current()).isEqualTo(1.0);
    }

    private static Request request(int maxNewTokens, int made) {
        Request r = new Request(
                TokenizedGenerateReqInput.of("r", null, new int[] {1}, Params.tokens(maxNewTokens), true),
                maxNewTokens,
                1,
                0);
        for (int i = 0; i < made; i++) {
            r.append(7, null);
        }
        return r;
    }
}
