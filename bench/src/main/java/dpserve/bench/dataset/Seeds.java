package dpserve.bench.dataset;

import java.util.Random;

/**
 * Random sources that depend on a seed and a path of numbers alone. Each use of randomness has a path of its own, so that
 * changing one part of a workload (a length, a rate) leaves the draws of all others as they were.
 */
public final class Seeds {
    private static final long GOLDEN_GAMMA = 0x9E3779B97F4A7C15L;

    private Seeds() {}

    /** A source for the given path below the seed. {@link Random}'s algorithm is fixed by its contract. */
    public static Random random(long seed, long... path) {
        return new Random(mix(seed, path));
    }

    /** The seed itself, mixed with the path (SplitMix64's finalizer at each step). */
    public static long mix(long seed, long... path) {
        long h = finish(seed + GOLDEN_GAMMA);
        for (long p : path) {
            h = finish(h + GOLDEN_GAMMA * (p + 1));
        }
        return h;
    }

    private static long finish(long z) {
        z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
        z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
        return z ^ (z >>> 31);
    }

    /** Upstream's rule for lengths: uniform from max(floor(full x ratio), 1) to full, both included. */
    static int[] lengths(int full, double ratio, int count, Random random) {
        int low = Math.max((int) (full * ratio), 1);
        return random.ints(count, low, full + 1).toArray();
    }
}
