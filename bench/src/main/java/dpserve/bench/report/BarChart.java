package dpserve.bench.report;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Groups of bars, one bar of each series in a group, with an interval on a bar if there is one. */
public final class BarChart {
    private record Series(String name, double[] values, double[] low, double[] high) {}

    private final String title;
    private final String xLabel;
    private final String yLabel;
    private final List<String> groups;
    private final List<Series> series = new ArrayList<>();

    /** @param groups names along the x axis */
    public BarChart(String title, String xLabel, String yLabel, List<String> groups) {
        this.title = title;
        this.xLabel = xLabel;
        this.yLabel = yLabel;
        this.groups = List.copyOf(groups);
    }

    /** @param values one for each group; what is not finite has no bar */
    public BarChart bars(String name, double[] values) {
        return bars(name, values, null, null);
    }

    public BarChart bars(String name, double[] values, double[] low, double[] high) {
        if (values.length != groups.size()) {
            throw new IllegalArgumentException("series " + name + ": one value for each group is needed");
        }
        series.add(new Series(name, values, low, high));
        return this;
    }

    String html() {
        double[] all = series.stream()
                .flatMapToDouble(s -> Arrays.stream(s.high == null ? s.values : s.high))
                .filter(Double::isFinite)
                .toArray();
        Axis x = Axis.named(groups, Frame.LEFT, Frame.RIGHT);
        Axis y = Axis.linear(
                Arrays.stream(all).min().orElse(0), Arrays.stream(all).max().orElse(1), true, Frame.BOTTOM, Frame.TOP);
        double width = 0.8 / Math.max(1, series.size());
        StringBuilder marks = new StringBuilder();
        for (int i = 0; i < series.size(); i++) {
            marks.append("<g class=\"").append(Frame.series(i)).append("\">");
            for (int g = 0; g < groups.size(); g++) {
                bar(marks, series.get(i), g, x.px(g - 0.4 + i * width), x.px(g - 0.4 + (i + 0.92) * width), y);
            }
            marks.append("</g>\n");
        }
        List<String> names = series.stream().map(Series::name).toList();
        return Frame.figure(title, xLabel, yLabel, x, y, names, false, essence(), marks.toString());
    }

    private void bar(StringBuilder out, Series s, int group, double from, double to, Axis y) {
        double value = s.values[group];
        if (!Double.isFinite(value)) {
            return;
        }
        String text = s.name + ", " + groups.get(group) + ": " + Html.number(value);
        out.append("<g><path class=\"b\" d=\"M" + Html.px(from) + " " + Html.px(y.px(0)) + "V" + Html.px(y.px(value))
                + "H" + Html.px(to) + "V" + Html.px(y.px(0)) + "Z\"/>");
        if (s.low != null && Double.isFinite(s.low[group])) {
            text += " [" + Html.number(s.low[group]) + ", " + Html.number(s.high[group]) + "]";
            out.append("<path class=\"w\" d=\"M" + Html.px((from + to) / 2) + " " + Html.px(y.px(s.low[group])) + "V"
                    + Html.px(y.px(s.high[group])) + "\"/>");
        }
        out.append("<title>").append(Html.escape(text)).append("</title></g>");
    }

    private String essence() {
        List<String> words = new ArrayList<>();
        for (Series s : series) {
            for (int g = 0; g < groups.size(); g++) {
                words.add(s.name + " " + groups.get(g) + " " + Html.number(s.values[g]));
            }
        }
        return yLabel + " by " + xLabel + ": " + String.join("; ", words) + ".";
    }
}
