package dpserve.bench.report;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Several named series over x: lines with marks, with intervals if there are any, or steps (a value holds until the next).
 * Values that are not finite leave a gap. A mark tells its figures when pointed at.
 */
public final class LineChart {
    /** More points than this are drawn without marks. */
    private static final int MOST_MARKS = 40;

    private record Series(String name, double[] x, double[] y, double[] low, double[] high, boolean steps) {}

    private final String title;
    private final String xLabel;
    private final String yLabel;
    private final List<Series> series = new ArrayList<>();
    private List<String> xNames = List.of();
    private boolean logY;

    /**
     * @param xLabel what x is, with its unit; likewise {@code yLabel}
     */
    public LineChart(String title, String xLabel, String yLabel) {
        this.title = title;
        this.xLabel = xLabel;
        this.yLabel = yLabel;
    }

    /** x is a number of a name: 0 is the first. They stand evenly spread, whatever they mean. */
    public LineChart xNames(List<String> names) {
        xNames = List.copyOf(names);
        return this;
    }

    /** y in powers of ten; all values must be above 0. */
    public LineChart logY() {
        logY = true;
        return this;
    }

    /** A line with an interval around each point, drawn as an error bar. */
    public LineChart line(String name, double[] x, double[] y, double[] low, double[] high) {
        return add(new Series(name, x, y, low, high, false));
    }

    /** A line whose value holds until the next x: counts over time. */
    public LineChart steps(String name, double[] x, double[] y) {
        return add(new Series(name, x, y, null, null, true));
    }

    private LineChart add(Series s) {
        if (s.x.length != s.y.length || s.low != null && (s.low.length != s.y.length || s.high.length != s.y.length)) {
            throw new IllegalArgumentException("series " + s.name + ": arrays of unequal length");
        }
        series.add(s);
        return this;
    }

    String html() {
        Axis x = xAxis();
        Axis y = yAxis();
        StringBuilder marks = new StringBuilder();
        for (int i = 0; i < series.size(); i++) {
            draw(marks, i, series.get(i), x, y);
        }
        return Frame.figure(title, xLabel, yLabel, x, y, names(), essence(), marks.toString());
    }

    private List<String> names() {
        return series.stream().map(Series::name).toList();
    }

    private Axis xAxis() {
        if (!xNames.isEmpty()) {
            return Axis.named(xNames, Frame.LEFT, Frame.RIGHT);
        }
        double[] all = series.stream()
                .flatMapToDouble(s -> Arrays.stream(s.x))
                .filter(Double::isFinite)
                .toArray();
        double min = Arrays.stream(all).min().orElse(0);
        double max = Arrays.stream(all).max().orElse(1);
        return Axis.linear(min, max, min >= 0 && min < max / 3, Frame.LEFT, Frame.RIGHT);
    }

    private Axis yAxis() {
        double[] all = series.stream()
                .flatMap(s -> s.low == null
                        ? java.util.stream.Stream.of(s.y)
                        : java.util.stream.Stream.of(s.y, s.low, s.high))
                .flatMapToDouble(Arrays::stream)
                .filter(v -> Double.isFinite(v) && (!logY || v > 0))
                .toArray();
        double min = Arrays.stream(all).min().orElse(logY ? 1 : 0);
        double max = Arrays.stream(all).max().orElse(1);
        return logY
                ? Axis.logarithmic(min, max, Frame.BOTTOM, Frame.TOP)
                : Axis.linear(min, max, true, Frame.BOTTOM, Frame.TOP);
    }

    private void draw(StringBuilder out, int index, Series s, Axis x, Axis y) {
        out.append("<g class=\"").append(Frame.series(index)).append(s.steps ? " steps\">" : "\">");
        // Intervals of several series at the same x would cover each other.
        double shift = s.low == null || series.size() == 1 ? 0 : (index - (series.size() - 1) / 2.0) * 5;
        String path = s.steps ? stepPath(s, x, y) : linePath(s, x, y, shift);
        out.append("<path class=\"l\" d=\"")
                .append(path)
                .append('"')
                .append(Frame.dash(index))
                .append("/>");
        if (!s.steps && s.x.length <= MOST_MARKS) {
            for (int p = 0; p < s.x.length; p++) {
                if (Double.isFinite(s.y[p])) {
                    mark(out, index, s, p, x.px(s.x[p]) + shift, y);
                }
            }
        }
        out.append("</g>\n");
    }

    private void mark(StringBuilder out, int index, Series s, int p, double px, Axis y) {
        out.append("<g>");
        String interval = "";
        if (s.low != null && Double.isFinite(s.low[p])) {
            interval = " [" + Html.number(s.low[p]) + ", " + Html.number(s.high[p]) + "]";
            out.append("<path class=\"e\" d=\"M" + Html.px(px) + " " + Html.px(y.px(s.low[p])) + "V"
                    + Html.px(y.px(s.high[p])) + "\"/>");
        }
        out.append(Frame.marker(index, px, y.px(s.y[p])))
                .append("<title>")
                .append(Html.escape(s.name + ", " + xText(s.x[p]) + ": " + Html.number(s.y[p]) + interval))
                .append("</title></g>");
    }

    private String xText(double x) {
        return xNames.isEmpty() ? Html.number(x) : xNames.get((int) x);
    }

    private static String linePath(Series s, Axis x, Axis y, double shift) {
        StringBuilder d = new StringBuilder();
        boolean pen = false;
        for (int p = 0; p < s.x.length; p++) {
            if (Double.isFinite(s.y[p])) {
                d.append(pen ? 'L' : 'M')
                        .append(Html.px(x.px(s.x[p]) + shift))
                        .append(' ')
                        .append(Html.px(y.px(s.y[p])));
            }
            pen = Double.isFinite(s.y[p]);
        }
        return d.toString();
    }

    /** Points that share a pixel column are drawn as one stroke from the lowest to the highest: no peak gets lost. */
    private static String stepPath(Series s, Axis x, Axis y) {
        StringBuilder d = new StringBuilder();
        for (int p = 0; p < s.x.length; ) {
            int column = (int) x.px(s.x[p]);
            double low = s.y[p];
            double high = s.y[p];
            int next = p;
            for (; next < s.x.length && (int) x.px(s.x[next]) == column; next++) {
                low = Math.min(low, s.y[next]);
                high = Math.max(high, s.y[next]);
            }
            d.append(
                    d.isEmpty()
                            ? "M" + Html.px(x.px(s.x[p])) + " " + Html.px(y.px(s.y[p]))
                            : "H" + Html.px(x.px(s.x[p])));
            if (next - p > 1) {
                d.append("V").append(Html.px(y.px(low))).append("V").append(Html.px(y.px(high)));
            }
            d.append("V").append(Html.px(y.px(s.y[next - 1])));
            p = next;
        }
        return d.toString();
    }

    /** Each series in half a sentence. */
    private String essence() {
        List<String> words = new ArrayList<>();
        for (Series s : series) {
            double[] finite = Arrays.stream(s.y).filter(Double::isFinite).toArray();
            if (finite.length > 0) {
                words.add(s.name + " from " + Html.number(finite[0]) + " to " + Html.number(finite[finite.length - 1])
                        + ", lowest " + Html.number(Arrays.stream(finite).min().getAsDouble()) + ", highest "
                        + Html.number(Arrays.stream(finite).max().getAsDouble()));
            }
        }
        return yLabel + " over " + xLabel + ": " + String.join("; ", words) + ".";
    }
}
