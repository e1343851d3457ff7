package dpserve.tokenizer.http;

import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;

/**
 * Metrics in Prometheus' text format, gathered from several processes: each family appears once, equal samples are
 * added up.
 */
public final class PrometheusText {
    /** What a reply with it is. */
    public static final String CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8";

    private static final class Family {
        private String help = "";
        private String type = "";
        private final Map<String, Double> samples = new LinkedHashMap<>();
    }

    private final Map<String, Family> families = new LinkedHashMap<>();

    /** Adds everything that another process exposes. Lines that are no metric are passed over. */
    void add(String exposition) {
        Family family = null;
        for (String line : exposition.split("\n")) {
            if (line.startsWith("# HELP ") || line.startsWith("# TYPE ")) {
                String[] parts = line.split(" ", 4);
                family = families.computeIfAbsent(parts[2], name -> new Family());
                if (line.startsWith("# HELP ")) {
                    family.help = parts.length > 3 ? parts[3] : "";
                } else {
                    family.type = parts.length > 3 ? parts[3] : "untyped";
                }
            } else if (family != null && !line.isBlank() && line.charAt(0) != '#') {
                addSample(family, line);
            }
        }
    }

    private static void addSample(Family family, String line) {
        int space = line.lastIndexOf(' ');
        try {
            family.samples.merge(line.substring(0, space), Double.parseDouble(line.substring(space + 1)), Double::sum);
        } catch (NumberFormatException | StringIndexOutOfBoundsException e) {
            // A line that is no sample, from a process of another version.
        }
    }

    /**
     * Adds one sample.
     *
     * @param labels alternating names and values
     */
    public void sample(String name, String type, String help, double value, String... labels) {
        Family family = families.computeIfAbsent(name, n -> new Family());
        family.type = type;
        family.help = help;
        StringBuilder key = new StringBuilder(name);
        for (int i = 0; i < labels.length; i += 2) {
            key.append(i == 0 ? '{' : ',')
                    .append(labels[i])
                    .append("=\"")
                    .append(escaped(labels[i + 1]))
                    .append('"');
        }
        family.samples.merge(labels.length == 0 ? name : key.append('}').toString(), value, Double::sum);
    }

    private static String escaped(String value) {
        return value.replace("\\", "\\\\").replace("\"", "\\\"").replace("\n", "\\n");
    }

    /** The text, families in the order of their first appearance. */
    public String render() {
        StringBuilder text = new StringBuilder();
        families.forEach((name, family) -> {
            text.append("# HELP ").append(name).append(' ').append(family.help).append('\n');
            text.append("# TYPE ").append(name).append(' ').append(family.type).append('\n');
            family.samples.forEach((key, value) ->
                    text.append(key).append(' ').append(number(value)).append('\n'));
        });
        return text.toString();
    }

    private static String number(double value) {
        boolean whole = value == Math.rint(value) && Math.abs(value) < 1e15;
        return whole ? String.format(Locale.ROOT, "%.0f", value) : Double.toString(value);
    }
}
