package dpserve.tokenizer.http;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashSet;
import java.util.Set;
import org.junit.jupiter.api.Test;

class PrometheusTextTest {

    @Test
    void shouldAddUpTheSamplesOfSeveralWorkers() {
        PrometheusText text = new PrometheusText();
        String worker = "# HELP a_total Things.\n# TYPE a_total counter\na_total{m=\"x y\"} 3\n"
                + "# HELP h_seconds Time.\n# TYPE h_seconds histogram\nh_seconds_bucket{le=\"0.5\"} 1\nh_seconds_sum 0.25\n";
        text.add(worker);
        text.add(worker);
        text.sample("g", "gauge", "Now.", 1.5, "dp_rank", "0");
        text.sample("g", "gauge", "Now.", 2, "dp_rank", "1");
        assertThat(text.render())
                .isEqualTo("# HELP a_total Things.\n# TYPE a_total counter\na_total{m=\"x y\"} 6\n"
                        + "# HELP h_seconds Time.\n# TYPE h_seconds histogram\nh_seconds_bucket{le=\"0.5\"} 2\nh_seconds_sum 0.5\n"
                        + "# HELP g Now.\n# TYPE g gauge\ng{dp_rank=\"0\"} 1.5\ng{dp_rank=\"1\"} 2\n");
    }

    @Test
    void shouldEscapeLabelsAndPassOverWhatIsNoSample() {
        PrometheusText text = new PrometheusText();
        text.sample("g", "gauge", "Now.", 1, "name", "a\"b\\c\nd");
        text.add("not a metric\n# comment\n\n# TYPE x counter\nx nonsense\nx\n");
        assertThat(text.render()).contains("g{name=\"a\\\"b\\\\c\\nd\"} 1").doesNotContain("nonsense");
    }

    @Test
    void shouldExposeAWorkersMetricsInAFormThatPrometheusReads() {
        PrometheusText text = new PrometheusText();
        text.add(new WorkerMetrics("m").scrape());
        Set<String> families = new HashSet<>();
        for (String line : text.render().split("\n")) {
            if (line.startsWith("# TYPE ")) {
                assertThat(families.add(line.split(" ")[2])).as(line).isTrue();
            } else if (!line.startsWith("# HELP ")) {
                assertThat(line).matches("[a-zA-Z_:][a-zA-Z0-9_:]*(\\{[^}]*\\})? -?[0-9.E+-]+(Inf|NaN)?");
            }
        }
        assertThat(families).contains("sglang:num_requests_total", "sglang:time_to_first_token_seconds");
    }
}
