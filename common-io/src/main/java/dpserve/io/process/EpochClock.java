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

    private final double offsetS;

    private EpochClock(double offsetS) {
        this.offsetS = offsetS;
    }

    /** A clock set by this host's wall clock now. */
    public static EpochClock start() {
        long nowNs = System.nanoTime();
        Instant wall = Instant.now();
        return new EpochClock(wall.getEpochSecond() + (wall.getNano() - nowNs) / NS_PER_S);
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
