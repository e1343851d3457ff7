package dpserve.bench.lab;

import dpserve.bench.metrics.Distribution;
import java.util.Arrays;
import java.util.Random;

/** How sure a mean over few seeds is: the percentile bootstrap (Efron 1979), from a seed of its own. */
public final class Bootstrap {
    /** More would not move a 95 % limit by a visible amount. */
    static final int RESAMPLES = 2000;

    private static final long SEED = 1979;
    private static final double LOW_PERCENT = 2.5;

    /** A mean and its 95 % interval. */
    public record Interval(double mean, double low, double high) {}

    private Bootstrap() {}

    /** The mean of the values; equal values give equal intervals. */
    public static Interval mean(double[] values) {
        double mean = Arrays.stream(values).average().orElse(Double.NaN);
        if (values.length < 2 || Arrays.stream(values).allMatch(v -> v == values[0])) {
            return new Interval(mean, mean, mean);
        }
        Random random = new Random(SEED);
        double[] means = new double[RESAMPLES];
        for (int i = 0; i < RESAMPLES; i++) {
            double sum = 0;
            for (int k = 0; k < values.length; k++) {
                sum += values[random.nextInt(values.length)];
            }
            means[i] = sum / values.length;
        }
        Arrays.sort(means);
        return new Interval(
                mean, Distribution.percentile(means, LOW_PERCENT), Distribution.percentile(means, 100 - LOW_PERCENT));
    }

    /** The mean of {@code a - b}, seed by seed. */
    public static Interval difference(double[] a, double[] b) {
        double[] differences = new double[a.length];
        Arrays.setAll(differences, i -> a[i] - b[i]);
        return mean(differences);
    }
}
