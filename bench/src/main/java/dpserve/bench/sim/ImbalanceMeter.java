package dpserve.bench.sim;

import dpserve.bench.metrics.Distribution;
import java.util.Arrays;

/**
 * How even the ranks are, sampled while requests are in flight and more are to come. max/min takes an empty rank as holding one, so that it
 * stays finite.
 */
public final class ImbalanceMeter {
    private double[] requestsRatio = new double[256];
    private double[] tokensRatio = new double[256];
    private double[] balance = new double[256];
    private int samples;
    private double requestsStd;
    private double queueStd;
    private double usedStd;
    private long barrierIdleNs;
    private long barrierNs;
    private int mostHeld;
    private int mostAboveEven;

    /**
     * Figures of a run.
     *
     * @param requestsRatio max / min of running requests
     * @param tokensRatio max / min of tokens held
     * @param balance mean / max of tokens held; 1 is even
     * @param requestsStd mean over the samples of the standard deviation across ranks
     * @param barrierIdle share of step time that lockstep ranks wait for the slowest; 0 for independent ranks
     * @param mostHeld most requests, running and queued, that any rank ever held
     * @param mostAboveEven by how much a rank to which a request went then held more than its even share, at most:
     *     ceil(requests in flight when that request was sent / live ranks)
     */
    public record Figures(
            Distribution requestsRatio,
            Distribution tokensRatio,
            Distribution balance,
            double requestsStd,
            double queueStd,
            double usedStd,
            double barrierIdle,
            int mostHeld,
            int mostAboveEven) {}

    /** One sample of the ranks that are alive; none if no request is held anywhere. */
    void sample(SimRank[] ranks) {
        int live = 0;
        int[][] figures = new int[4][ranks.length];
        int held = 0;
        for (SimRank rank : ranks) {
            if (rank.isAlive()) {
                SimRank.Held h = rank.figures();
                figures[0][live] = h.running();
                figures[1][live] = h.waiting();
                figures[2][live] = h.tokens();
                figures[3][live++] = h.used();
                held += h.running() + h.waiting();
            }
        }
        if (held > 0) {
            for (int i = 0; i < figures.length && live < ranks.length; i++) {
                figures[i] = Arrays.copyOf(figures[i], live);
            }
            sample(figures[0], figures[1], figures[2], figures[3]);
        }
    }

    /**
     * One sample; the arrays have one element for each live rank.
     *
     * @param tokens held, those of waiting requests among them
     * @param used KV slots
     */
    public void sample(int[] running, int[] queued, int[] tokens, int[] used) {
        if (samples == balance.length) {
            requestsRatio = Arrays.copyOf(requestsRatio, samples * 2);
            tokensRatio = Arrays.copyOf(tokensRatio, samples * 2);
            balance = Arrays.copyOf(balance, samples * 2);
        }
        requestsRatio[samples] = ratio(running);
        tokensRatio[samples] = ratio(tokens);
        int most = max(tokens);
        balance[samples] = most == 0 ? 1 : mean(tokens) / most;
        samples++;
        requestsStd += std(running);
        queueStd += std(queued);
        usedStd += std(used);
    }

    // Plain loops: streams over a handful of ranks took a third of the simulator's time.

    private static int max(int[] values) {
        int max = 0;
        for (int v : values) {
            max = Math.max(max, v);
        }
        return max;
    }

    private static double ratio(int[] values) {
        int min = Integer.MAX_VALUE;
        for (int v : values) {
            min = Math.min(min, v);
        }
        return Math.max(1, max(values)) / (double) Math.max(1, min);
    }

    private static double mean(int[] values) {
        double sum = 0;
        for (int v : values) {
            sum += v;
        }
        return sum / Math.max(1, values.length);
    }

    private static double std(int[] values) {
        double mean = mean(values);
        double squares = 0;
        for (int v : values) {
            squares += (v - mean) * (v - mean);
        }
        return Math.sqrt(squares / Math.max(1, values.length));
    }

    /** Whether nothing was sampled. */
    public boolean isEmpty() {
        return samples == 0;
    }

    /** A rank was given a request and holds so many now; so many were in flight when it was sent. */
    public void held(int requests, int inFlight, int liveRanks) {
        mostHeld = Math.max(mostHeld, requests);
        if (liveRanks > 0) {
            mostAboveEven = Math.max(mostAboveEven, requests - (inFlight + liveRanks - 1) / liveRanks);
        }
    }

    /** A lockstep rank worked for part of a step. */
    public void barrier(long ownNs, long stepNs) {
        barrierIdleNs += stepNs - ownNs;
        barrierNs += stepNs;
    }

    /** The figures of all samples. */
    public Figures figures() {
        double n = Math.max(1, samples);
        return new Figures(
                Distribution.of(Arrays.copyOf(requestsRatio, samples), 1),
                Distribution.of(Arrays.copyOf(tokensRatio, samples), 1),
                Distribution.of(Arrays.copyOf(balance, samples), 1),
                requestsStd / n,
                queueStd / n,
                usedStd / n,
                barrierNs == 0 ? 0 : (double) barrierIdleNs / barrierNs,
                mostHeld,
                mostAboveEven);
    }
}
