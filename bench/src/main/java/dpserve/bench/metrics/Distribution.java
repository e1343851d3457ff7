package dpserve.bench.metrics;

import java.util.Arrays;

/**
 * Mean, spread and percentiles; zeros for no values.
 *
 * @param std standard deviation of the values themselves (divisor n)
 */
public record Distribution(double mean, double median, double std, double p90, double p95, double p99, double max) {

    /** Of the values times {@code factor}. Sorts the array. */
    public static Distribution of(double[] values, double factor) {
        if (values.length == 0) {
            return new Distribution(0, 0, 0, 0, 0, 0, 0);
        }
        Arrays.sort(values);
        double mean = Arrays.stream(values).sum() / values.length;
        double squares = Arrays.stream(values).map(v -> (v - mean) * (v - mean)).sum();
        return new Distribution(
                mean * factor,
                percentile(values, 50) * factor,
                Math.sqrt(squares / values.length) * factor,
                percentile(values, 90) * factor,
                percentile(values, 95) * factor,
                percentile(values, 99) * factor,
                values[values.length - 1] * factor);
    }

    /**
     * Linear between the two nearest ranks, as NumPy's default.
     *
     * @param sorted ascending, at least one value
     */
    public static double percentile(double[] sorted, double percent) {
        double rank = percent / 100 * (sorted.length - 1);
        int below = (int) rank;
        int above = Math.min(below + 1, sorted.length - 1);
        return sorted[below] + (sorted[above] - sorted[below]) * (rank - below);
    }
}
