package dpserve.bench.sim;

import dpserve.bench.dataset.Seeds;
import dpserve.io.message.GetLoadReqOutput;
import java.util.List;
import java.util.Random;
import java.util.function.Consumer;

/** The way of reports to the controller: thinned, dropped, delayed and jittered as the flags say, from the seed. */
final class ReportChannel {
    private static final int REPORTS = 71;
    private static final double NS_PER_MS = 1e6;

    private final EventQueue queue;
    private final SimOptions options;
    private final Random random;
    private final Consumer<List<GetLoadReqOutput>> controller;
    private final long delayNs;
    private final int[] seen;

    ReportChannel(EventQueue queue, SimOptions options, long seed, Consumer<List<GetLoadReqOutput>> controller) {
        this.queue = queue;
        this.options = options;
        this.random = Seeds.random(seed, REPORTS);
        this.controller = controller;
        this.delayNs = (long) (options.reportDelayMs * NS_PER_MS);
        this.seen = new int[options.dpSize];
    }

    /**
     * Sends one report.
     *
     * @param hopNs time of the way without any injected delay
     */
    void send(GetLoadReqOutput load, long hopNs) {
        if (++seen[load.dpRank()] % options.reportEvery != 0) {
            return;
        }
        if (options.reportDrop > 0 && random.nextDouble() < options.reportDrop) {
            return;
        }
        long jitterNs =
                options.reportJitterMs == 0 ? 0 : (long) (random.nextDouble() * options.reportJitterMs * NS_PER_MS);
        queue.after(hopNs + delayNs + jitterNs, () -> controller.accept(List.of(load)));
    }
}
