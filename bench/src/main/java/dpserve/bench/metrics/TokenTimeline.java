package dpserve.bench.metrics;

import java.util.Arrays;

/**
 * Collects the times of one streamed reply by upstream's rules: the first text makes the TTFT; each later chunk's gap to the
 * chunk before is divided by its new tokens and stands once for each of them. A chunk without new tokens leaves no gap, and
 * its time passes into the next.
 */
public final class TokenTimeline {
    private long firstNs;
    private long lastNs;
    private int lastTokens;
    private boolean started;
    private double[] gapsS = new double[16];
    private int[] repeats = new int[16];
    private int size;
    private int total;

    /** Text arrived; afterwards the reply had {@code completionTokens} tokens in all. */
    public void text(long nowNs, int completionTokens) {
        if (!started) {
            started = true;
            firstNs = nowNs;
        } else {
            int fresh = completionTokens - lastTokens;
            if (fresh <= 0) {
                return;
            }
            if (size == gapsS.length) {
                gapsS = Arrays.copyOf(gapsS, size * 2);
                repeats = Arrays.copyOf(repeats, size * 2);
            }
            gapsS[size] = (nowNs - lastNs) / 1e9 / fresh;
            repeats[size++] = fresh;
            total += fresh;
        }
        lastNs = nowNs;
        lastTokens = completionTokens;
    }

    /** Text arrived that is one chunk of unknown token count, counted as one token (upstream's rule for OpenAI streams). */
    public void chunk(long nowNs) {
        text(nowNs, lastTokens + 1);
    }

    /** Whether any text has arrived. */
    public boolean started() {
        return started;
    }

    /** When the first text arrived. */
    public long firstNs() {
        return firstNs;
    }

    /** Gaps in seconds, one for each token after the first chunk. */
    public double[] itlS() {
        double[] all = new double[total];
        int at = 0;
        for (int i = 0; i < size; i++) {
            Arrays.fill(all, at, at + repeats[i], gapsS[i]);
            at += repeats[i];
        }
        return all;
    }
}
