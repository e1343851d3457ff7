package dpserve.bench.report;

import java.util.ArrayList;
import java.util.List;

/** A table with a caption; the first cell of a row names it, and columns of figures are aligned to the right. */
public final class HtmlTable {
    /** An interval with its mean is one; a sentence that begins with a figure is none. */
    private static final int LONGEST_FIGURE = 40;

    private final String caption;
    private final List<String> header;
    private final List<List<String>> rows = new ArrayList<>();

    public HtmlTable(String caption, List<String> header) {
        this.caption = caption;
        this.header = List.copyOf(header);
    }

    /** @throws IllegalArgumentException if the row has not as many cells as the header */
    public HtmlTable row(List<String> cells) {
        if (cells.size() != header.size()) {
            throw new IllegalArgumentException(
                    "a row of " + cells.size() + " cells in a table of " + header.size() + " columns");
        }
        rows.add(List.copyOf(cells));
        return this;
    }

    public HtmlTable row(String... cells) {
        return row(List.of(cells));
    }

    String html() {
        StringBuilder out = new StringBuilder("<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"")
                .append(Html.escape(caption))
                .append("\"><table>\n<caption>")
                .append(Html.escape(caption))
                .append("</caption>\n<thead><tr>");
        for (int c = 0; c < header.size(); c++) {
            cell(out, "th scope=\"col\"", "th", c, header.get(c));
        }
        out.append("</tr></thead>\n<tbody>\n");
        for (List<String> row : rows) {
            out.append("<tr>");
            for (int c = 0; c < row.size(); c++) {
                cell(out, c == 0 ? "th scope=\"row\"" : "td", c == 0 ? "th" : "td", c, row.get(c));
            }
            out.append("</tr>\n");
        }
        return out.append("</tbody>\n</table></div>\n").toString();
    }

    private void cell(StringBuilder out, String open, String close, int column, String text) {
        out.append('<').append(open);
        if (isNumeric(column)) {
            out.append(" class=\"n\"");
        }
        out.append('>').append(Html.escape(text)).append("</").append(close).append('>');
    }

    /** Every cell is short and begins as a figure does, or stands for none. */
    private boolean isNumeric(int column) {
        return rows.stream()
                .map(row -> row.get(column))
                .allMatch(text ->
                        text.length() <= LONGEST_FIGURE && text.matches("(?s)(>|<|≤|≥|±|\\+|-|−)? ?[0-9].*|–|-|"));
    }
}
