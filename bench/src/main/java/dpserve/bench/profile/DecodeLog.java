package dpserve.bench.profile;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Reads SGLang's decode log lines, of any rank in any order. A line gives the throughput since the rank's line before it, so
 * it tells the duration of a step only if these steps were all decode steps of the same batch: lines are left out when the
 * rank had no line before, a prefill or a retraction came between, or #running-req changed.
 *
 * <p>The line has had several forms: {@code Decode batch.}, {@code Decode batch,} and {@code Decode batch [n],};
 * {@code #full token} beside a sliding-window or Mamba pool; {@code accept len} with speculative decoding, whose steps give
 * that many tokens a request.
 */
public final class DecodeLog {
    /** SGLang's {@code --decode-log-interval}. */
    public static final int DEFAULT_INTERVAL = 40;

    private static final Pattern RANK = Pattern.compile("\\b(?:DP|TP|PP)\\d+\\b");
    private static final Pattern REQUESTS = Pattern.compile("#running-req: (\\d+)");
    private static final Pattern TOKENS = Pattern.compile("#(?:full )?token: (\\d+)");
    private static final Pattern ACCEPTED = Pattern.compile("accept len: ([\\d.]+)");
    private static final Pattern THROUGHPUT = Pattern.compile("gen throughput \\(token/s\\): ([\\d.]+)");
    private static final double MS_PER_S = 1e3;

    private final int interval;
    private final List<Observation> observations = new ArrayList<>();

    /** By file and rank: #running-req of its last line, if nothing came between. */
    private final Map<String, Double> undisturbed = new HashMap<>();

    private int decodeLines;

    /** @param interval steps between two decode lines of a rank ({@code --decode-log-interval}) */
    public DecodeLog(int interval) {
        this.interval = interval;
    }

    /**
     * Takes one line of a log; any line that is none of SGLang's batch lines is passed over.
     *
     * @param file name of the file, for ranks of the same name in different files
     */
    public void add(String file, String line) {
        int decode = line.indexOf("Decode batch");
        int other = Math.max(line.indexOf("Prefill batch"), line.indexOf("Retract requests"));
        if (decode < 0 && other < 0) {
            return;
        }
        String rank = rank(file, line.substring(0, Math.max(decode, other)));
        if (decode < 0) {
            undisturbed.remove(rank);
            return;
        }
        double requests = number(REQUESTS, line);
        double tokens = number(TOKENS, line);
        double throughput = number(THROUGHPUT, line);
        if (Double.isNaN(requests) || Double.isNaN(tokens) || Double.isNaN(throughput)) {
            return;
        }
        decodeLines++;
        Double before = undisturbed.put(rank, requests);
        if (before == null || before != requests || requests == 0 || throughput <= 0) {
            return;
        }
        double accepted = number(ACCEPTED, line);
        double tokensPerStep = requests * (accepted >= 1 ? accepted : 1);
        // The line shows the pool after the last of the steps; each added its tokens.
        double meanTokens = Math.max(0, tokens - tokensPerStep * (interval - 1) / 2);
        observations.add(new Observation(requests, meanTokens, MS_PER_S * tokensPerStep / throughput));
    }

    private static String rank(String file, String prefix) {
        StringBuilder name = new StringBuilder(file);
        Matcher m = RANK.matcher(prefix);
        while (m.find()) {
            name.append(' ').append(m.group());
        }
        return name.toString();
    }

    private static double number(Pattern pattern, String line) {
        Matcher m = pattern.matcher(line);
        try {
            return m.find() ? Double.parseDouble(m.group(1)) : Double.NaN;
        } catch (NumberFormatException e) {
            return Double.NaN;
        }
    }

    /** Decode lines seen, those left out among them. */
    public int decodeLines() {
        return decodeLines;
    }

    /** One for each line that tells the duration of a step. */
    public List<Observation> observations() {
        return List.copyOf(observations);
    }
}
