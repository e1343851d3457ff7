package dpserve.bench.lab;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.Random;

/** A distribution known by some quantiles, linear between them; the built-in ones and their source are in lengths.txt. */
final class Quantiles {
    private static final String RESOURCE = "lengths.txt";
    private static final String PERCENT = "percent";

    private final double[] shares;
    private final double[] values;

    Quantiles(double[] percents, double[] values) {
        if (percents.length != values.length) {
            throw new IllegalArgumentException("as many values as quantiles are needed");
        }
        this.shares = Arrays.stream(percents).map(p -> p / 100).toArray();
        this.values = values;
    }

    /** All built-in distributions by name. */
    static Map<String, Quantiles> builtIn() {
        Map<String, double[]> lines = new HashMap<>();
        try (BufferedReader in = new BufferedReader(
                new InputStreamReader(Quantiles.class.getResourceAsStream(RESOURCE), StandardCharsets.UTF_8))) {
            for (String line = in.readLine(); line != null; line = in.readLine()) {
                if (!line.startsWith("#") && !line.isBlank()) {
                    String[] words = line.trim().split(" +");
                    lines.put(
                            words[0],
                            Arrays.stream(words)
                                    .skip(1)
                                    .mapToDouble(Double::parseDouble)
                                    .toArray());
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        double[] percents = lines.remove(PERCENT);
        Map<String, Quantiles> found = new HashMap<>();
        lines.forEach((name, values) -> found.put(name, new Quantiles(percents, values)));
        return found;
    }

    /** The value below which this share of all lies, 0 to 1. */
    double at(double share) {
        int i = 1;
        while (i < shares.length - 1 && shares[i] < share) {
            i++;
        }
        return values[i - 1] + (values[i] - values[i - 1]) * (share - shares[i - 1]) / (shares[i] - shares[i - 1]);
    }

    double draw(Random random) {
        return at(random.nextDouble());
    }

    int drawLength(Random random) {
        return Math.max(1, (int) Math.round(draw(random)));
    }
}
