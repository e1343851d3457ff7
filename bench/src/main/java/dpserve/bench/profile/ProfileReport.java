package dpserve.bench.profile;

import dpserve.scheduler.EngineProfile;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.ToDoubleFunction;
import java.util.stream.Collectors;

/** The words around a fit: a profile file whose comments say where each constant comes from, or why there is none. */
public final class ProfileReport {
    /** Rows of the table of residuals; more would be read by nobody. */
    private static final int ROWS = 12;

    private final ProfileFit fit;
    private final int decodeLines;

    /** @param decodeLines lines the observations were chosen from */
    public ProfileReport(ProfileFit fit, int decodeLines) {
        this.fit = fit;
        this.decodeLines = decodeLines;
    }

    /**
     * The profile, ready for {@code --engine-profile}; residuals and range are comments.
     *
     * @param given constants the user gave, by key
     * @param prefill prefill_base_ms and prefill_per_token_ms are taken from it unless given
     */
    public String profile(Map<String, Double> given, EngineProfile prefill) {
        StringBuilder s = new StringBuilder();
        s.append("# Engine profile fitted from decode log lines.\n#\n");
        for (String line : (summary() + "\n" + residuals()).split("\n")) {
            s.append("# ").append(line).append('\n');
        }
        s.append("\n# decode log lines say nothing about prefill\n");
        constant(s, "prefill_base_ms", given, prefill.prefillBaseMs());
        constant(s, "prefill_per_token_ms", given, prefill.prefillPerTokenMs());
        s.append('\n');
        for (DecodeConstant c : DecodeConstant.values()) {
            if (given.containsKey(c.key())) {
                s.append("# given\n");
            } else if (fit.clipped().contains(c)) {
                s.append("# measured: the best fit was below 0\n");
            } else {
                s.append(String.format(
                        Locale.ROOT,
                        "# measured, standard error %.3g\n",
                        fit.errors().get(c)));
            }
            s.append(entry(c.key(), fit.values().get(c)));
        }
        return s.toString();
    }

    private static void constant(StringBuilder s, String key, Map<String, Double> given, double assumed) {
        s.append(given.containsKey(key) ? "# given\n" : "# assumed, as in the default profile\n");
        s.append(entry(key, given.getOrDefault(key, assumed)));
    }

    private static String entry(String key, double value) {
        return String.format(Locale.ROOT, "%s = %.6g%n", key, value);
    }

    /** Why there is no profile: the constants that these logs cannot tell, what they do tell, and what would help. */
    public String refusal() {
        StringBuilder s = new StringBuilder("these logs cannot tell ");
        s.append(fit.undetermined().stream().map(DecodeConstant::key).collect(Collectors.joining(", ")));
        s.append(": ").append(reason()).append('\n').append(summary());
        fit.errors()
                .forEach((c, error) -> s.append(String.format(
                        Locale.ROOT,
                        "%n%s = %.6g (standard error %.3g) is told",
                        c.key(),
                        fit.values().get(c),
                        error)));
        s.append(
                        "\nAdd logs of other loads (other numbers of requests in flight, other lengths), or give a constant: --fix ")
                .append(fit.undetermined().iterator().next().key())
                .append("=MS");
        return s.toString();
    }

    private String reason() {
        List<DecodeConstant> u = List.copyOf(fit.undetermined());
        if (u.size() == 1) {
            return u.get(0).quantity() + " did not vary by itself";
        }
        if (!u.contains(DecodeConstant.BASE)) {
            return "#token was the same multiple of #running-req throughout";
        }
        if (!u.contains(DecodeConstant.PER_KV_TOKEN)) {
            return "#running-req was the same throughout";
        }
        if (!u.contains(DecodeConstant.PER_REQUEST)) {
            return "#token was the same throughout";
        }
        return spreadOf(Observation::requests) < ProfileFit.MIN_SPREAD
                        && spreadOf(Observation::kvTokens) < ProfileFit.MIN_SPREAD
                ? "they show one operating point, which fixes one number"
                : "#running-req and #token moved together";
    }

    private double spreadOf(ToDoubleFunction<Observation> quantity) {
        double mean = fit.used().stream().mapToDouble(quantity).average().orElse(0);
        double square = fit.used().stream()
                .mapToDouble(o -> Math.pow(quantity.applyAsDouble(o) - mean, 2))
                .average()
                .orElse(0);
        return Math.sqrt(square) / mean;
    }

    private String summary() {
        return String.format(
                Locale.ROOT,
                "%,d decode lines: %,d used, %d outliers, %,d tell no step (first of a rank, a prefill between, or another"
                        + " #running-req)%nrange covered: #running-req %s, #token %s (mean over each line's steps), step %s"
                        + " ms",
                decodeLines,
                fit.used().size(),
                fit.outliers().size(),
                decodeLines - fit.used().size() - fit.outliers().size(),
                range(Observation::requests, "%,.0f"),
                range(Observation::kvTokens, "%,.0f"),
                range(Observation::stepMs, "%.2f"));
    }

    private String range(ToDoubleFunction<Observation> quantity, String format) {
        double least = fit.used().stream().mapToDouble(quantity).min().orElse(0);
        double most = fit.used().stream().mapToDouble(quantity).max().orElse(0);
        return String.format(Locale.ROOT, format + " to " + format, least, most);
    }

    private String residuals() {
        double square = fit.used().stream()
                .mapToDouble(o -> Math.pow(residual(o), 2))
                .average()
                .orElse(0);
        double most = fit.used().stream()
                .mapToDouble(o -> Math.abs(residual(o)))
                .max()
                .orElse(0);
        StringBuilder s = new StringBuilder(String.format(
                Locale.ROOT,
                "residuals (measured - modelled): rms %.3f ms, largest %.3f ms%n",
                Math.sqrt(square),
                most));
        s.append("#running-req   lines    #token   step ms   mean residual ms   largest ms\n");
        bands().forEach((band, some) -> s.append(String.format(
                Locale.ROOT,
                "%6.0f to %-4.0f %6d %,9.0f %9.2f %18.3f %12.3f%n",
                some.stream().mapToDouble(Observation::requests).min().orElse(0),
                some.stream().mapToDouble(Observation::requests).max().orElse(0),
                some.size(),
                some.stream().mapToDouble(Observation::kvTokens).average().orElse(0),
                some.stream().mapToDouble(Observation::stepMs).average().orElse(0),
                some.stream().mapToDouble(this::residual).average().orElse(0),
                some.stream().mapToDouble(o -> Math.abs(residual(o))).max().orElse(0))));
        return s.toString();
    }

    /** Observations by #running-req, in bands of equal width. */
    private Map<Integer, List<Observation>> bands() {
        double most =
                fit.used().stream().mapToDouble(Observation::requests).max().orElse(0);
        double width = Math.max(1, Math.ceil(most / ROWS));
        return fit.used().stream()
                .collect(Collectors.groupingBy(o -> (int) (o.requests() / width), TreeMap::new, Collectors.toList()));
    }

    private double residual(Observation o) {
        return o.stepMs() - fit.stepMs(o);
    }
}
