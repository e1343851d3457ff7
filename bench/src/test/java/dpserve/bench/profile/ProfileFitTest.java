package dpserve.bench.profile;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dpserve.scheduler.EngineProfile;
import java.io.IOException;
import java.io.StringReader;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Properties;
import java.util.Random;
import org.junit.jupiter.api.Test;

class ProfileFitTest {
    private static final double BASE = 12.5;
    private static final double PER_REQUEST = 0.21;
    private static final double PER_KV_TOKEN = 0.00035;
    private static final int INTERVAL = DecodeLog.DEFAULT_INTERVAL;
    private static final int EVERY_OUTLIER = 11;

    private final Random random = new Random(5);

    /** One rank's lines at a fixed number of requests while their KV grows. */
    private List<String> run(String prefix, int requests, int promptLen, int lines, double noise, boolean outliers) {
        List<String> log = new ArrayList<>();
        log.add(prefix + "Prefill batch, #new-seq: " + requests
                + ", #new-token: 500, #cached-token: 0, token usage: 0.01");
        int tokens = requests * promptLen;
        for (int i = 0; i < lines; i++) {
            double sumMs = 0;
            for (int step = 0; step < INTERVAL; step++) {
                tokens += requests;
                sumMs += BASE + PER_REQUEST * requests + PER_KV_TOKEN * tokens;
            }
            double meanMs = sumMs / INTERVAL * (1 + noise * random.nextGaussian());
            if (outliers && i % EVERY_OUTLIER == 3) {
                meanMs *= 1.5 + random.nextDouble();
            }
            log.add(decodeLine(prefix, requests, tokens, 1e3 * requests / meanMs));
        }
        return log;
    }

    private static String decodeLine(String prefix, int requests, int tokens, double throughput) {
        return String.format(
                Locale.ROOT,
                "%sDecode batch, #running-req: %d, #token: %d, token usage: 0.10, cuda graph: True,"
                        + " gen throughput (token/s): %.2f, #queue-req: 0",
                prefix,
                requests,
                tokens,
                throughput);
    }

    private static DecodeLog log(List<String> lines) {
        DecodeLog log = new DecodeLog(INTERVAL);
        lines.forEach(line -> log.add("server.log", line));
        return log;
    }

    private List<String> manyLoads(double noise, boolean outliers) {
        List<String> lines = new ArrayList<>();
        for (int requests : new int[] {4, 9, 16, 25, 40}) {
            lines.addAll(run("[2026-01-01 00:00:00 DP0 TP0] ", requests, 400, 30, noise, outliers));
            lines.addAll(run("[2026-01-01 00:00:00 DP1 TP0] ", requests, 2000, 30, noise, outliers));
        }
        return lines;
    }

    private static void assertConstants(ProfileFit fit, double share) {
        assertThat(fit.undetermined()).isEmpty();
        assertThat(fit.values().get(DecodeConstant.BASE)).isCloseTo(BASE, within(share * BASE));
        assertThat(fit.values().get(DecodeConstant.PER_REQUEST)).isCloseTo(PER_REQUEST, within(share * PER_REQUEST));
        assertThat(fit.values().get(DecodeConstant.PER_KV_TOKEN)).isCloseTo(PER_KV_TOKEN, within(share * PER_KV_TOKEN));
    }

    @Test
    void shouldFindTheConstantsBehindExactLines() {
        ProfileFit fit = ProfileFit.of(log(manyLoads(0, false)).observations(), Map.of());

        assertConstants(fit, 0.001);
        assertThat(fit.outliers()).isEmpty();
    }

    @Test
    void shouldFindThemInNoiseWithinItsErrors() {
        ProfileFit fit = ProfileFit.of(log(manyLoads(0.01, false)).observations(), Map.of());

        assertConstants(fit, 0.05);
        assertThat(fit.errors().get(DecodeConstant.BASE)).isBetween(0.005, 0.2);
        assertThat(Math.abs(fit.values().get(DecodeConstant.BASE) - BASE))
                .isLessThan(4 * fit.errors().get(DecodeConstant.BASE));
    }

    @Test
    void shouldLeaveOutOutliers() {
        ProfileFit fit = ProfileFit.of(log(manyLoads(0.005, true)).observations(), Map.of());

        assertConstants(fit, 0.03);
        // Three of the thirty lines of each of ten runs; normal noise may add one or two.
        assertThat(fit.outliers().size()).isBetween(28, 34);
    }

    @Test
    void shouldRefuseOneOperatingPoint() {
        List<String> lines = new ArrayList<>();
        for (int i = 0; i < 40; i++) {
            lines.add(decodeLine("DP0 ", 25, 17_100 + i % 7, 520 + i % 3));
        }
        DecodeLog log = log(lines);

        ProfileFit fit = ProfileFit.of(log.observations(), Map.of());

        assertThat(fit.undetermined()).containsExactly(DecodeConstant.values());
        assertThat(fit.values()).isEmpty();
        assertThat(new ProfileReport(fit, log.decodeLines()).refusal())
                .startsWith("these logs cannot tell decode_base_ms, decode_per_request_ms, decode_per_kv_token_ms: they"
                        + " show one operating point")
                .contains("#running-req 25 to 25")
                .contains("--fix decode_base_ms=MS");
    }

    @Test
    void shouldTellTheKvSlopeAloneFromOneNumberOfRequests() {
        DecodeLog log = log(run("DP0 ", 20, 100, 60, 0, false));

        ProfileFit fit = ProfileFit.of(log.observations(), Map.of());

        assertThat(fit.undetermined()).containsExactly(DecodeConstant.BASE, DecodeConstant.PER_REQUEST);
        assertThat(fit.values()).containsOnlyKeys(DecodeConstant.PER_KV_TOKEN);
        assertThat(fit.values().get(DecodeConstant.PER_KV_TOKEN)).isCloseTo(PER_KV_TOKEN, within(1e-6));
        assertThat(new ProfileReport(fit, 60).refusal()).contains("#running-req was the same throughout");
        assertConstants(ProfileFit.of(log.observations(), Map.of(DecodeConstant.BASE, BASE)), 0.005);
    }

    @Test
    void shouldNotSplitSlopesOfRequestsThatAreAllAsLong() {
        List<Observation> observations = new ArrayList<>();
        for (int n = 1; n <= 40; n++) {
            observations.add(new Observation(n, 700 * n, BASE + PER_REQUEST * n + PER_KV_TOKEN * 700 * n));
        }

        ProfileFit fit = ProfileFit.of(observations, Map.of());

        assertThat(fit.undetermined()).containsExactly(DecodeConstant.PER_REQUEST, DecodeConstant.PER_KV_TOKEN);
        assertThat(fit.values().get(DecodeConstant.BASE)).isCloseTo(BASE, within(1e-6));
        assertThat(new ProfileReport(fit, 40).refusal()).contains("#token was the same multiple of #running-req");
    }

    @Test
    void shouldNeverGiveANegativeConstant() {
        List<Observation> observations = new ArrayList<>();
        for (int i = 0; i < 60; i++) {
            int n = 1 + i % 20;
            observations.add(new Observation(n, 1_000 + 37 * (i * i % 101), Math.max(1, 30 - 0.01 * n)));
        }

        ProfileFit fit = ProfileFit.of(observations, Map.of());

        assertThat(fit.values().get(DecodeConstant.PER_REQUEST)).isZero();
        assertThat(fit.clipped()).contains(DecodeConstant.PER_REQUEST);
        assertThat(fit.values().values()).allMatch(v -> v >= 0);
    }

    @Test
    void shouldWriteAProfileThatCanBeLoaded() throws IOException {
        DecodeLog log = log(manyLoads(0, false));
        ProfileFit fit = ProfileFit.of(log.observations(), Map.of());
        String text = new ProfileReport(fit, log.decodeLines())
                .profile(Map.of("prefill_base_ms", 7.0), EngineProfile.defaultProfile());
        Properties properties = new Properties();
        properties.load(new StringReader(text));

        EngineProfile profile = EngineProfile.of(properties);

        assertThat(profile.prefillBaseMs()).isEqualTo(7.0);
        assertThat(profile.prefillPerTokenMs())
                .isEqualTo(EngineProfile.defaultProfile().prefillPerTokenMs());
        assertThat(profile.decodeBaseMs()).isCloseTo(BASE, within(0.01));
        assertThat(text)
                .contains("# given\nprefill_base_ms = 7.00000")
                .contains("# assumed, as in the default profile\nprefill_per_token_ms")
                .contains("# range covered: #running-req 4 to 40")
                .contains("# residuals (measured - modelled): rms 0.00");
    }

    @Test
    void shouldAskForMoreLines() {
        assertThatThrownBy(() -> ProfileFit.of(log(run("", 4, 100, 5, 0, false)).observations(), Map.of()))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("only 4 decode lines");
    }
}
