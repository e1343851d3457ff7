package dpserve.bench.process;

import java.io.PrintStream;
import java.util.Locale;
import java.util.function.IntConsumer;
import java.util.function.LongSupplier;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;

/** Shows how far a run is, on stderr: a bar with rate and remaining time on a terminal, otherwise a line now and then. */
abstract class ProgressDisplay implements AutoCloseable {

    /** What fits where the output goes. */
    static ProgressDisplay choose(boolean silent) {
        if (silent) {
            return new Silent();
        }
        return System.console() != null ? new Bar() : new Lines(System.err, System::nanoTime);
    }

    /** A run of so many requests begins. */
    abstract IntConsumer start(int total);

    @Override
    public void close() {}

    private static final class Silent extends ProgressDisplay {
        @Override
        IntConsumer start(int total) {
            return done -> {};
        }
    }

    private static final class Bar extends ProgressDisplay {
        private ProgressBar bar;

        @Override
        IntConsumer start(int total) {
            bar = new ProgressBarBuilder()
                    .setTaskName("Requests")
                    .setInitialMax(total)
                    .setStyle(ProgressBarStyle.COLORFUL_UNICODE_BLOCK)
                    .setUpdateIntervalMillis(200)
                    .setSpeedUnit(java.time.temporal.ChronoUnit.SECONDS)
                    .showSpeed()
                    .build();
            return bar::stepTo;
        }

        @Override
        public void close() {
            if (bar != null) {
                bar.close();
                bar = null;
            }
        }
    }

    /** A line every {@link #INTERVAL_NS} at most, and one at the end. */
    static final class Lines extends ProgressDisplay {
        private static final long INTERVAL_NS = 5_000_000_000L;

        private final PrintStream out;
        private final LongSupplier clock;

        Lines(PrintStream out, LongSupplier clock) {
            this.out = out;
            this.clock = clock;
        }

        @Override
        IntConsumer start(int total) {
            long startNs = clock.getAsLong();
            long[] nextNs = {startNs + INTERVAL_NS};
            return done -> {
                long now = clock.getAsLong();
                if (now < nextNs[0] && done < total) {
                    return;
                }
                nextNs[0] = now + INTERVAL_NS;
                double seconds = (now - startNs) / 1e9;
                out.printf(
                        Locale.ROOT,
                        "%d/%d requests, %.2f req/s, ETA %.0f s%n",
                        done,
                        total,
                        done / seconds,
                        seconds / done * (total - done));
            };
        }
    }
}
