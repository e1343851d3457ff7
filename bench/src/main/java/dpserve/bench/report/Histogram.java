package dpserve.bench.report;

import dpserve.bench.metrics.Distribution;
import java.util.Arrays;
import java.util.Map;

/** How values spread: for each series, the share of its values in each of equally wide bins, as steps. */
public final class Histogram {
    /** The axis ends here, so that a few far values do not press all others into one bin; they count in the last. */
    private static final double END_PERCENTILE = 99.5;

    private Histogram() {}

    /**
     * @param xLabel what the values are, with their unit
     * @param values by the name of the series, in the order of the legend; not changed
     */
    public static LineChart of(String title, String xLabel, Map<String, double[]> values, int bins) {
        double[] all = values.values().stream()
                .flatMapToDouble(Arrays::stream)
                .sorted()
                .toArray();
        double low = all.length == 0 ? 0 : all[0] >= 0 ? 0 : all[0];
        double end = all.length == 0 ? 1 : Distribution.percentile(all, END_PERCENTILE);
        double width = (end > low ? end - low : 1) / bins;
        double[] edges = new double[bins + 1];
        Arrays.setAll(edges, i -> low + i * width);
        LineChart chart = new LineChart(title, xLabel, "share of values (%)");
        values.forEach((name, of) -> chart.steps(name, edges, shares(of, low, width, bins)));
        return chart;
    }

    /** Percent in each bin, and a 0 that ends the last step. */
    static double[] shares(double[] values, double low, double width, int bins) {
        double[] shares = new double[bins + 1];
        for (double value : values) {
            shares[(int) Math.max(0, Math.min(bins - 1, Math.floor((value - low) / width)))] += 100.0 / values.length;
        }
        return shares;
    }
}
