package dpserve.bench.report;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * One report in one file: it asks nothing of any server, needs no script, and reads in light, in dark, on a phone, on paper
 * and aloud. Every text given is escaped.
 */
public final class HtmlPage {
    private final String title;
    private final StringBuilder body = new StringBuilder();
    private String banner = "";
    private String footer = "";
    private boolean inSection;

    public HtmlPage(String title) {
        this.title = title;
    }

    /**
     * Opens the page with a warning: the figures below are this machine's limits, so nothing can be concluded from them.
     *
     * @param reasons what was measured that says so, one sentence each
     */
    public HtmlPage limitedByThisMachine(List<String> reasons) {
        banner = "<div class=\"banner\" role=\"alert\"><strong>Limited by this machine</strong>"
                + "<p>No conclusion can be drawn from the figures below.</p>" + list(reasons) + "</div>\n";
        return this;
    }

    /** Begins a part with a heading of its own. */
    public HtmlPage section(String heading) {
        body.append(inSection ? "</section>\n" : "").append("<section>\n<h2>");
        body.append(Html.escape(heading)).append("</h2>\n");
        inSection = true;
        return this;
    }

    public HtmlPage paragraph(String text) {
        body.append("<p>").append(Html.escape(text)).append("</p>\n");
        return this;
    }

    public HtmlPage bullets(List<String> items) {
        body.append(list(items));
        return this;
    }

    public HtmlPage table(HtmlTable table) {
        body.append(table.html());
        return this;
    }

    public HtmlPage chart(LineChart chart) {
        body.append(chart.html());
        return this;
    }

    /**
     * How to get the same page again.
     *
     * @param commands shell commands, one line each
     * @param facts seeds, versions, the machine: one sentence each
     */
    public HtmlPage repeat(List<String> commands, List<String> facts) {
        footer = "<footer>\n<h2>To repeat this</h2>\n<pre><code>" + Html.escape(String.join("\n", commands))
                + "</code></pre>\n" + list(facts) + "</footer>\n";
        return this;
    }

    private static String list(List<String> items) {
        if (items.isEmpty()) {
            return "";
        }
        StringBuilder out = new StringBuilder("<ul>");
        items.forEach(item -> out.append("<li>").append(Html.escape(item)).append("</li>"));
        return out.append("</ul>\n").toString();
    }

    /** The whole file. */
    public String html() {
        return """
                <!DOCTYPE html>
                <html lang="en">
                <head>
                <meta charset="utf-8">
                <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
                <meta name="viewport" content="width=device-width, initial-scale=1">
                <meta name="color-scheme" content="light dark">
                <title>"""
                + Html.escape(title) + "</title>\n<style>\n" + css() + "</style>\n</head>\n<body>\n<main>\n<h1>"
                + Html.escape(title) + "</h1>\n" + banner + body + (inSection ? "</section>\n" : "") + "</main>\n"
                + footer + "</body>\n</html>\n";
    }

    /** Writes the page, making the folder if need be. */
    public void write(Path file) throws IOException {
        if (file.toAbsolutePath().getParent() != null) {
            Files.createDirectories(file.toAbsolutePath().getParent());
        }
        Files.writeString(file, html());
    }

    private static String css() {
        try (InputStream in = HtmlPage.class.getResourceAsStream("report.css")) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
