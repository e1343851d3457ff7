package dpserve.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class BenchConfigTest {

    @Test
    void shouldHaveUpstreamsDefaults() {
        BenchConfig c = BenchConfig.parse("--dataset-name", "random");

        assertThat(c.backend).isEqualTo("sglang");
        assertThat(c.base()).hasToString("http://127.0.0.1:30000");
        assertThat(c.readyCheckTimeoutSec).isEqualTo(60);
        assertThat(c.dataset.numPrompts).isEqualTo(1000);
        assertThat(c.dataset.randomInputLen).isEqualTo(1024);
        assertThat(c.dataset.randomOutputLen).isEqualTo(1024);
        assertThat(c.dataset.randomRangeRatio).isZero();
        assertThat(c.load.requestRate).isInfinite();
        assertThat(c.load.maxConcurrency).isNull();
        assertThat(c.warmupRequests).isEqualTo(1);
        assertThat(c.seed).isEqualTo(42);
        assertThat(c.dataset.gsp.numGroups).isEqualTo(64);
        assertThat(c.dataset.gsp.promptsPerGroup).isEqualTo(16);
        assertThat(c.dataset.gsp.systemPromptLen).isEqualTo(2048);
        assertThat(c.dataset.gsp.questionLen).isEqualTo(128);
        assertThat(c.dataset.gsp.outputLen).isEqualTo(256);
        assertThat(c.dataset.gsp.rangeRatio).isEqualTo(1);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "--dataset-name sharegpt | --dataset-path",
                "--dataset-name images | --dataset-name",
                "--dataset-name random --backend vllm | --backend",
                "--dataset-name random --request-rate 0 | --request-rate",
                "--dataset-name random --request-rate fast | --request-rate",
                "--dataset-name random --max-concurrency 0 | --max-concurrency",
                "--dataset-name random --random-range-ratio 1.5 | --random-range-ratio",
                "--dataset-name random --use-trace-timestamps | --use-trace-timestamps",
                "--dataset-name random --goodput itl:5 | --goodput",
                "--dataset-name random --extra-request-body [1] | --extra-request-body",
                "--dataset-name random --base-url https://x | --base-url",
                "--dataset-name random --header secret | --header",
                "--dataset-name random --tokenize-prompt --backend sglang-oai | --tokenize-prompt",
                "--dataset-name azure --dataset-path x --trace-speed 0 | --trace-speed",
                "--dataset-name generated-shared-prefix --gsp-num-turns 2 | --gsp-num-turns",
                "--dataset-name generated-shared-prefix --gsp-group-distribution zipf | --gsp-zipf-alpha",
                "--dataset-name random --num-promts 3 | --num-promts"
            })
    void shouldNameTheFlagThatIsWrong(String flags, String named) {
        assertThatThrownBy(() -> BenchConfig.parse(flags.strip().split(" ")))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining(named.strip())
                .message()
                .doesNotContain("secret");
    }

    @Test
    void shouldTakeServerAddressesInEveryForm() {
        assertThat(BenchConfig.parse("--dataset-name", "random", "--host", "0.0.0.0", "--port", "8000")
                        .base())
                .hasToString("http://127.0.0.1:8000");
        assertThat(BenchConfig.parse("--dataset-name", "random", "--host", "::1")
                        .base())
                .hasToString("http://[::1]:30000");
        assertThat(BenchConfig.parse("--dataset-name", "random", "--base-url", "http://h/api/")
                        .base())
                .hasToString("http://h:80/api");
    }

    @Test
    void shouldSendTheKeyOfTheEnvironmentAndHeadersOfTheFlags() {
        BenchConfig c = BenchConfig.parse("--dataset-name", "random", "--header", "A=b=c", "D=");

        assertThat(c.request.headers(Map.of("OPENAI_API_KEY", "k", "API_KEY", "other")))
                .isEqualTo(Map.of("Authorization", "Bearer k", "A", "b=c", "D", ""));
        assertThat(c.request.headers(Map.of("API_KEY", "plain"))).containsEntry("Authorization", "plain");
    }

    @Test
    void shouldReplayByUpstreamsSlowdownFactorToo() {
        BenchConfig c = BenchConfig.parse(
                "--dataset-name", "mooncake", "--dataset-path", "x", "--mooncake-slowdown-factor", "2");

        assertThat(c.load.effectiveTraceSpeed()).isEqualTo(0.5);
    }
}
