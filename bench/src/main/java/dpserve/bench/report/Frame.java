package dpserve.bench.report;

import java.util.List;

/** What every chart has around its marks: size, axes, grid, legend, and words for those who do not see it. */
final class Frame {
    static final int WIDTH = 760;
    static final int LEFT = 64;
    static final int RIGHT = WIDTH - 16;
    static final int TOP = 14;
    static final int BOTTOM = 286;
    private static final int HEIGHT = 334;

    /** Colours there are; further series begin again with another dash, and markers differ too. */
    static final int COLOURS = 8;

    private static final String[] DASHES = {"", "7 4", "2 3"};

    private Frame() {}

    /** CSS class of a series. */
    static String series(int index) {
        return "s" + index % COLOURS;
    }

    static String dash(int index) {
        String dash = DASHES[index / COLOURS % DASHES.length];
        return dash.isEmpty() ? "" : " stroke-dasharray=\"" + dash + "\"";
    }

    /** A mark at a place; shapes alternate so that colour is never the only difference. */
    static String marker(int index, double x, double y) {
        double r = 4;
        return switch (index % 4) {
            case 0 -> "<circle cx=\"" + Html.px(x) + "\" cy=\"" + Html.px(y) + "\" r=\"3.6\"/>";
            case 1 -> path(x - r, y - r, x + r, y - r, x + r, y + r, x - r, y + r);
            case 2 -> path(x, y - r - 1, x + r + 1, y + r, x - r - 1, y + r);
            default -> path(x, y - r - 1, x + r + 1, y, x, y + r + 1, x - r - 1, y);
        };
    }

    private static String path(double... xy) {
        StringBuilder out = new StringBuilder("<path d=\"M");
        for (int i = 0; i < xy.length; i += 2) {
            out.append(i == 0 ? "" : "L").append(Html.px(xy[i])).append(' ').append(Html.px(xy[i + 1]));
        }
        return out.append("Z\"/>").toString();
    }

    /**
     * A whole figure.
     *
     * @param names of the series, for the legend; one series needs none
     * @param essence what the picture shows, in words
     */
    static String figure(
            String title,
            String xLabel,
            String yLabel,
            Axis x,
            Axis y,
            List<String> names,
            String essence,
            String marks) {
        StringBuilder out = new StringBuilder("<figure>\n<figcaption>")
                .append(Html.escape(title))
                .append("</figcaption>\n");
        if (names.size() > 1) {
            legend(out, names);
        }
        out.append("<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"")
                .append(Html.escape("Chart: " + title))
                .append("\"><svg role=\"img\" viewBox=\"0 0 ")
                .append(WIDTH)
                .append(' ')
                .append(HEIGHT)
                .append("\" aria-label=\"")
                .append(Html.escape(title + ". " + essence))
                .append("\">\n<title>")
                .append(Html.escape(title))
                .append("</title>\n<desc>")
                .append(Html.escape(essence))
                .append("</desc>\n");
        axes(out, xLabel, yLabel, x, y);
        return out.append(marks).append("</svg></div>\n</figure>\n").toString();
    }

    private static void legend(StringBuilder out, List<String> names) {
        out.append("<ul class=\"legend\" aria-hidden=\"true\">");
        for (int i = 0; i < names.size(); i++) {
            out.append("<li><svg viewBox=\"0 0 30 12\" class=\"")
                    .append(series(i))
                    .append("\"><path class=\"l\" d=\"M0 6H30\"" + dash(i) + "/>")
                    .append(marker(i, 15, 6))
                    .append("</svg>")
                    .append(Html.escape(names.get(i)))
                    .append("</li>");
        }
        out.append("</ul>\n");
    }

    private static void axes(StringBuilder out, String xLabel, String yLabel, Axis x, Axis y) {
        out.append("<g class=\"axis\" aria-hidden=\"true\">\n");
        for (Axis.Tick tick : y.ticks()) {
            String at = Html.px(y.px(tick.value()));
            out.append("<path class=\"grid\" d=\"M" + LEFT + " " + at + "H" + RIGHT + "\"/>");
            text(out, "end", LEFT - 7, y.px(tick.value()) + 4, tick.label());
        }
        for (Axis.Tick tick : x.ticks()) {
            String at = Html.px(x.px(tick.value()));
            out.append("<path class=\"tick\" d=\"M" + at + " " + BOTTOM + "v5\"/>");
            text(out, "middle", x.px(tick.value()), BOTTOM + 19, tick.label());
        }
        out.append("<path class=\"tick\" d=\"M" + LEFT + " " + BOTTOM + "H" + RIGHT + "\"/>\n");
        text(out, "middle", (LEFT + RIGHT) / 2.0, HEIGHT - 8, xLabel);
        out.append("<text text-anchor=\"middle\" transform=\"translate(14 ")
                .append(Html.px((TOP + BOTTOM) / 2.0))
                .append(") rotate(-90)\">")
                .append(Html.escape(yLabel))
                .append("</text>\n</g>\n");
    }

    static void text(StringBuilder out, String anchor, double x, double y, String text) {
        out.append("<text text-anchor=\"")
                .append(anchor)
                .append("\" x=\"")
                .append(Html.px(x))
                .append("\" y=\"")
                .append(Html.px(y))
                .append("\">")
                .append(Html.escape(text))
                .append("</text>");
    }
}
