package dpserve.controller.process;

import dpserve.controller.LoadBalance;
import dpserve.io.Env;
import dpserve.io.message.GetLoadReqOutput;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/**
 * Makes reports late, fewer or lost on their way into the controller, whatever path they came by, so that staleness can
 * be studied on a running topology. Without any of it reports pass through on the reader's own thread.
 */
final class ReportInjection implements AutoCloseable {
    /** Added to every report, ms; scaled by {@code --time-scale}. */
    static final String DELAY_MS = "DPSERVE_LOAD_REPORT_DELAY_MS";

    /** Share of reports that get lost, 0 to 1. */
    static final String DROP = "DPSERVE_LOAD_REPORT_DROP";

    /** Of each rank's reports, one of so many is kept. */
    static final String EVERY = "DPSERVE_LOAD_REPORT_EVERY";

    /** Fixed, so that runs differ by what they do and not by what is lost. */
    private static final long SEED = 42;

    private final double drop;
    private final int every;
    private final double timeScale;
    private final Consumer<List<GetLoadReqOutput>> controller;
    private final Random random = new Random(SEED);
    private final Map<Integer, Integer> seen = new HashMap<>();
    private ScheduledExecutorService later;
    private volatile double delayMs;

    /**
     * @param controller takes what gets through; called from several threads
     * @throws IllegalArgumentException naming the variable that is wrong
     */
    ReportInjection(Env env, double timeScale, Consumer<List<GetLoadReqOutput>> controller) {
        this.controller = controller;
        this.timeScale = timeScale;
        this.drop = env.number(DROP, 0, 0);
        if (drop > 1) {
            throw new IllegalArgumentException(DROP + " must be 0 to 1");
        }
        this.every = env.integer(EVERY, 1, 1, Integer.MAX_VALUE);
        setDelayMs(env.number(DELAY_MS, 0, 0));
    }

    /**
     * Sets the delay of all reports from now on; those under way keep theirs.
     *
     * @throws IllegalArgumentException if it is negative or over a day
     */
    void setDelayMs(double newDelayMs) {
        if (!(newDelayMs >= 0 && newDelayMs <= LoadBalance.MAX_DELAY_MS)) {
            throw new IllegalArgumentException("delay_ms must be 0 to " + (long) LoadBalance.MAX_DELAY_MS);
        }
        delayMs = newDelayMs;
    }

    double delayMs() {
        return delayMs;
    }

    /** Whether reports are neither delayed nor lost now, so that nobody can tell which of several waiting ones arrived. */
    boolean passesThrough() {
        return drop == 0 && every == 1 && delayMs == 0;
    }

    /** Reports of one message; from any thread. */
    void add(List<GetLoadReqOutput> loads) {
        List<GetLoadReqOutput> kept = drop == 0 && every == 1 ? loads : kept(loads);
        long delayNs = (long) (delayMs * timeScale * 1e6);
        if (kept.isEmpty()) {
            return;
        }
        if (delayNs == 0) {
            controller.accept(kept);
        } else {
            later().schedule(() -> controller.accept(kept), delayNs, TimeUnit.NANOSECONDS);
        }
    }

    private synchronized List<GetLoadReqOutput> kept(List<GetLoadReqOutput> loads) {
        List<GetLoadReqOutput> kept = new ArrayList<>();
        for (GetLoadReqOutput load : loads) {
            int number = seen.merge(load.dpRank(), 1, Integer::sum);
            if (number % every == 0 && (drop == 0 || random.nextDouble() >= drop)) {
                kept.add(load);
            }
        }
        return kept;
    }

    /** A thread of its own only where something is delayed. Equal delays leave in the order they came. */
    private synchronized ScheduledExecutorService later() {
        if (later == null) {
            later = Executors.newSingleThreadScheduledExecutor(r -> {
                Thread thread = new Thread(r, "late-reports");
                thread.setDaemon(true);
                return thread;
            });
        }
        return later;
    }

    @Override
    public synchronized void close() {
        if (later != null) {
            later.shutdownNow();
        }
    }
}
