package dpserve.io.process;

import java.time.Instant;
import java.util.function.LongToDoubleFunction;

/**
 * Seconds since the epoch at a monotonic time ({@link System#nanoTime}): the wall clock as it was when this was made, and
 * from then on the monotonic one, so that it never steps. On one host two of them differ by some microseconds, or by what
 * the wall clock was set in between; on two hosts by anything.
 */
public final class EpochClock implements LongToDoubleFunction {
    private static final double NS_PER_S = 1e9;

    /** Looks at both clocks; the one that was interrupted least counts. */
    private static final int LOOKS = 16;

    private final double offsetS;

    private EpochClock(double offsetS) {
        this.offsetS = offsetS;
    }

    /** A clock set by this host's wall clock now. */
    public static EpochClock start() {
        double offsetS = 0;
        long shortestNs = Long.MAX_VALUE;
        for (int i = 0; i < LOOKS; i++) {
            long beforeNs = System.nanoTime();
            Instant wall = Instant.now();
            long tookNs = System.nanoTime() - beforeNs;
            if (tookNs < shortestNs) {
                shortestNs = tookNs;
                offsetS = wall.getEpochSecond() + (wall.getNano() - beforeNs - tookNs / 2) / NS_PER_S;
            }
        }
        return new EpochClock(offsetS);
    }

    @Override
    public double applyAsDouble(long nowNs) {
        return offsetS + nowNs / NS_PER_S;
    }

    /** Seconds since the epoch now. */
    public double now() {
        return applyAsDouble(System.nanoTime());
    }
}
