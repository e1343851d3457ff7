package dpserve.bench.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.StringReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.xml.sax.InputSource;

class ReportTest {
    private static final String NASTY = "<script>alert(\"x\" & 'y')</script>";

    @TempDir
    Path folder;

    private static HtmlPage nastyPage() {
        double[] x = {0, 1, 2};
        return new HtmlPage(NASTY)
                .limitedByThisMachine(List.of(NASTY))
                .section(NASTY)
                .paragraph(NASTY)
                .bullets(List.of(NASTY))
                .table(new HtmlTable(NASTY, List.of(NASTY, "ms")).row(NASTY, "3.5"))
                .chart(new LineChart(NASTY, NASTY, NASTY)
                        .xNames(List.of(NASTY, "b", "c"))
                        .line(NASTY, x, x, x, x))
                .chart(Histogram.of(NASTY, NASTY, Map.of(NASTY, x), 4))
                .repeat(List.of(NASTY), List.of(NASTY));
    }

    @Test
    void shouldEscapeEveryTextThatIsGiven() {
        String html = nastyPage().html();

        assertThat(html)
                .doesNotContain("<script", "alert(\"")
                .contains("&lt;script&gt;alert(&quot;x&quot; &amp; &#39;y");
    }

    @Test
    void shouldAskNothingOfAnyServer() {
        assertThat(nastyPage().html())
                .doesNotContain("http://", "https://", "src=", "@import", "url(", "<link")
                .contains("default-src 'none'");
    }

    @Test
    void shouldBeWellFormedInsideItsBody() throws Exception {
        String html = nastyPage().html();
        String main = html.substring(html.indexOf("<main>"), html.indexOf("</main>") + 7);

        DocumentBuilderFactory.newInstance().newDocumentBuilder().parse(new InputSource(new StringReader(main)));
    }

    @Test
    void shouldAlignColumnsOfFiguresToTheRight() {
        String html = new HtmlTable("c", List.of("policy", "most held", "note"))
                .row("vllm", "1,234.5", "3 of 4? yes")
                .row("random", "–", "none")
                .html();

        assertThat(html)
                .contains("<th scope=\"col\" class=\"n\">most held</th>", "<td class=\"n\">–</td>")
                .contains("<td>none</td>", "<th scope=\"row\">vllm</th>");
        assertThatThrownBy(() -> new HtmlTable("c", List.of("a")).row("1", "2"))
                .hasMessageContaining("2 cells in a table of 1");
    }

    @Test
    void shouldPutTheBannerBeforeTheFigures() {
        String html = nastyPage().html();

        assertThat(html.indexOf("Limited by this machine")).isPositive().isLessThan(html.indexOf("<section>"));
    }

    @Test
    void shouldTellTheEssenceOfAChartInWords() {
        double[] y = {12, 1250};
        String html = new LineChart("P99 TTFT", "delay (ms)", "ms")
                .line("round_robin", new double[] {0, 500}, y, y, y)
                .html();

        assertThat(html)
                .contains("role=\"img\"", "<title>P99 TTFT</title>")
                .contains("<desc>ms over delay (ms): round_robin from 12 to 1,250, lowest 12, highest 1,250.</desc>");
    }

    @Test
    void shouldKeepThePeakOfStepsThatShareAPixel() {
        double[] x = new double[10_000];
        double[] y = new double[10_000];
        for (int i = 0; i < x.length; i++) {
            x[i] = i;
            y[i] = i == 5001 ? 40 : 25;
        }
        String html = new LineChart("t", "s", "requests").steps("rank 0", x, y).html();

        assertThat(html.length()).isLessThan(40_000);
        // 40 is the top of the axis.
        assertThat(html).contains("V" + Frame.TOP + "V");
    }

    @Test
    void shouldLeaveAGapWhereThereIsNoValue() {
        double[] y = {1, Double.NaN, 2, 3};
        String html = new LineChart("t", "x", "y")
                .line("a", new double[] {0, 1, 2, 3}, y, y, y)
                .html();

        assertThat(html).containsPattern("d=\"M[^\"]*M[^\"]*L[^\"]*\"").doesNotContain("NaN");
    }

    @Test
    void shouldChooseRoundTicks() {
        assertThat(Axis.linear(0, 37, true, 0, 100).ticks().stream().map(Axis.Tick::label))
                .containsExactly("0", "10", "20", "30", "40");
        assertThat(Axis.linear(0, 0, true, 0, 100).ticks()).hasSizeGreaterThan(2);
        assertThat(Axis.logarithmic(3, 4200, 0, 100).ticks().stream().map(Axis.Tick::label))
                .containsExactly("1", "10", "100", "1,000", "10,000");
        assertThat(Axis.logarithmic(1, 100, 0, 100).px(10)).isEqualTo(50);
    }

    @Test
    void shouldCountEveryValueOfAHistogramOnce() {
        double[] shares = Histogram.shares(new double[] {0, 0.5, 1, 3.9, 100}, 0, 1, 4);

        assertThat(shares).containsExactly(40, 20, 0, 40, 0);
    }

    @Test
    void shouldWriteNumbersForPeople() {
        assertThat(List.of(0.0, 1.0, 0.25, 12.345, 123456.7, -3.10, Double.NaN))
                .extracting(Html::number)
                .containsExactly("0", "1", "0.25", "12.35", "123,457", "-3.1", "–");
    }

    @Test
    void shouldQuoteWhatCsvWouldMisread() throws Exception {
        Path file = folder.resolve("deep/er.csv");
        new CsvFile(List.of("a", "b"))
                .row("x,\"y\"", 1.5)
                .row(null, "two\nlines")
                .write(file);

        assertThat(Files.readString(file)).isEqualTo("a,b\r\n\"x,\"\"y\"\"\",1.5\r\n,\"two\nlines\"\r\n");
        assertThatThrownBy(() -> new CsvFile(List.of("a")).row(1, 2)).hasMessageContaining("2 cells");
    }

    /** Also leaves a page with every part in target, to be looked at. */
    @Test
    void shouldWriteAWholePage() throws Exception {
        Path file = Path.of("target/report-sample.html");
        Random random = new Random(1);
        double[] delays = {0, 1, 2, 3};
        LineChart line = new LineChart("P99 TTFT against report delay", "report delay (ms)", "P99 TTFT (ms)")
                .xNames(List.of("0", "50", "500", "2,000"))
                .logY();
        LineChart running = new LineChart("Running requests of each rank", "time (s)", "running requests");
        Map<String, double[]> ages = new LinkedHashMap<>();
        HtmlTable table =
                new HtmlTable("Most requests held by a rank", List.of("policy", "0 ms", "50 ms", "2,000 ms", "note"));
        for (int p = 0; p < 10; p++) {
            double[] y = random.doubles(4, 20 + 40 * p, 40 + 80 * p).toArray();
            double[] low = java.util.Arrays.stream(y).map(v -> v * 0.9).toArray();
            double[] high = java.util.Arrays.stream(y).map(v -> v * 1.1).toArray();
            line.line("policy_" + p, delays, y, low, high);
            table.row("policy_" + p, "" + p, Html.number(y[0]), Html.number(100 * y[1]), "least of something");
        }
        for (int r = 0; r < 4; r++) {
            double[] y = new double[5000];
            double[] x = new double[5000];
            for (int i = 0; i < y.length; i++) {
                x[i] = i * 0.05;
                y[i] = 20 + r + Math.round(4 * Math.sin(i / 300.0)) + random.nextInt(2);
            }
            running.steps("rank " + r, x, y);
        }
        ages.put("watch", random.doubles(3000, 0, 120).toArray());
        ages.put("piggyback", random.doubles(3000, 5, 40).toArray());
        HtmlPage page = new HtmlPage("Load reports: watch against piggyback")
                .limitedByThisMachine(
                        List.of("2.3 % of the steps overran their modelled time by more than 5 % and 1 ms."))
                .section("Staleness")
                .paragraph("Ten seeds each; the bars are 95 % bootstrap intervals of the mean.")
                .chart(line)
                .table(table)
                .section("One run")
                .chart(running)
                .chart(Histogram.of("Age of the load at dispatch", "age (ms)", ages, 40))
                .repeat(
                        List.of("scripts/simulate.sh --lab --seed 42", "scripts/compare.sh --time-scale 0.25"),
                        List.of("Seeds 1 to 10, Java 17, 2 cores."));
        page.write(file);

        assertThat(Files.readString(file)).startsWith("<!DOCTYPE html>").endsWith("</html>\n");
    }
}
