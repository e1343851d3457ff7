package dpserve.bench.compare;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.Map;

/**
 * A figure of the benchmark's result that the experiment was published with: its name, its key in the benchmark's JSON, and
 * how it turns from wall into modelled time.
 */
enum Figure {
    REQUEST_THROUGHPUT("Request throughput (req/s)", "request_throughput", true, 1.20, 1.27),
    OUTPUT_THROUGHPUT("Output token throughput (tok/s)", "output_throughput", true, 1794.51, 1899.23),
    DURATION("Benchmark duration (s)", "duration", false, 334.35, 315.92),
    MEAN_TTFT("Mean TTFT (ms)", "mean_ttft_ms", false, 1222.55, 596.81),
    MEDIAN_TTFT("Median TTFT (ms)", "median_ttft_ms", false, 485.67, 496.91),
    P99_TTFT("P99 TTFT (ms)", "p99_ttft_ms", false, 14702.74, 1638.21),
    MEAN_TPOT("Mean TPOT (ms)", "mean_tpot_ms", false, 49.30, 48.77),
    MEDIAN_TPOT("Median TPOT (ms)", "median_tpot_ms", false, 49.51, 49.13),
    P99_TPOT("P99 TPOT (ms)", "p99_tpot_ms", false, 59.46, 49.42),
    MEDIAN_ITL("Median ITL (ms)", "median_itl_ms", false, 48.84, 48.52),
    P95_ITL("P95 ITL (ms)", "p95_itl_ms", false, 51.82, 54.05),
    P99_ITL("P99 ITL (ms)", "p99_itl_ms", false, 88.51, 86.82),
    MAX_ITL("Max ITL (ms)", "max_itl_ms", false, 17349.65, 188.67);

    private final String label;
    private final String key;
    private final boolean perTime;
    private final double publishedWatch;
    private final double publishedPiggyback;

    /**
     * @param perTime whether it counts something per time; otherwise it is a time
     * @param publishedWatch SGLang PR #11469, before the change
     * @param publishedPiggyback SGLang PR #11469, after the change
     */
    Figure(String label, String key, boolean perTime, double publishedWatch, double publishedPiggyback) {
        this.label = label;
        this.key = key;
        this.perTime = perTime;
        this.publishedWatch = publishedWatch;
        this.publishedPiggyback = publishedPiggyback;
    }

    String label() {
        return label;
    }

    double publishedWatch() {
        return publishedWatch;
    }

    double publishedPiggyback() {
        return publishedPiggyback;
    }

    /** Of a live run, in modelled time: at scale 0.25 a wall second is four modelled ones. */
    double modelled(JsonNode result, double timeScale) {
        double wall = result.path(key).asDouble(Double.NaN);
        return perTime ? wall * timeScale : wall / timeScale;
    }

    /** Of a simulated run; NaN for what the simulator does not measure. */
    double simulated(Map<Figure, Double> figures) {
        return figures.getOrDefault(this, Double.NaN);
    }
}
