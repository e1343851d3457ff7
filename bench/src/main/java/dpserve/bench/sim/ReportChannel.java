package dpserve.bench.sim;

import dpserve.bench.dataset.Seeds;
import dpserve.bench.metrics.Distribution;
import dpserve.io.message.BatchTokenIDOutput;
import dpserve.io.message.FinishReason;
import dpserve.io.message.GetLoadReqOutput;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.function.Consumer;

/** The way of reports to the controller: thinned, dropped, copied, delayed and jittered as the flags say, from the seed. */
final class ReportChannel {
    private static final int REPORTS = 71;
    private static final double NS_PER_MS = 1e6;
    private static final double NS_PER_US = 1e3;

    private final EventQueue queue;
    private final SimOptions options;
    private final Random random;
    private final Consumer<List<GetLoadReqOutput>> controller;
    private final ServiceLine input = new ServiceLine();
    private final long delayNs;
    private final int[] seen;
    private final double[] newestS;
    private double[] agesMs = new double[1024];
    private int dispatched;
    private long applied;

    ReportChannel(
            EventQueue queue, SimOptions options, int ranks, long seed, Consumer<List<GetLoadReqOutput>> controller) {
        this.queue = queue;
        this.options = options;
        this.random = Seeds.random(seed, REPORTS);
        this.controller = controller;
        this.delayNs = (long) (options.reportDelayMs * NS_PER_MS);
        this.seen = new int[ranks];
        this.newestS = new double[ranks];
    }

    /**
     * Sends the report that rides on an output batch.
     *
     * @param hopNs time of the way without any injected delay
     */
    void send(BatchTokenIDOutput output, long hopNs) {
        if (!options.upstreamReports) {
            send(output.load(), hopNs);
        } else if (output.size() > 0) {
            send(asUpstream(output.load(), output.finishedReasons()), hopNs);
        }
    }

    /** The five fields of PR #11469, with the requests that this very batch ends still counted. */
    private static GetLoadReqOutput asUpstream(GetLoadReqOutput load, FinishReason[] ends) {
        int ended = 0;
        for (FinishReason end : ends) {
            ended += end == null ? 0 : 1;
        }
        return GetLoadReqOutput.legacy(
                load.dpRank(), load.numReqs() + ended, load.numWaitingReqs(), load.numTokens(), load.tsTic());
    }

    /** Sends a report by itself. */
    void send(GetLoadReqOutput load, long hopNs) {
        if (++seen[load.dpRank()] % options.reportEvery != 0) {
            return;
        }
        if (options.reportDrop > 0 && random.nextDouble() < options.reportDrop) {
            return;
        }
        double copies = options.reportCopies;
        do {
            long jitterNs =
                    options.reportJitterMs == 0 ? 0 : (long) (random.nextDouble() * options.reportJitterMs * NS_PER_MS);
            queue.after(hopNs + delayNs + jitterNs, () -> arrive(load));
            copies--;
        } while (copies >= 1 || copies > 0 && random.nextDouble() < copies);
    }

    private void arrive(GetLoadReqOutput load) {
        long waitNs = input.doneAfterNs(queue.nowNs(), (long) (options.reportServiceUs * NS_PER_US));
        if (waitNs == 0) {
            apply(load);
        } else {
            queue.after(waitNs, () -> apply(load));
        }
    }

    private void apply(GetLoadReqOutput load) {
        applied++;
        int r = load.dpRank();
        newestS[r] = load.seq() == GetLoadReqOutput.NO_SEQ ? load.tsTic() : Math.max(newestS[r], load.tsTic());
        controller.accept(List.of(load));
    }

    /** A request went to the rank: notes how long ago its newest load was sampled, or the rank began. */
    void dispatched(int dpRank) {
        if (dispatched == agesMs.length) {
            agesMs = Arrays.copyOf(agesMs, dispatched * 2);
        }
        agesMs[dispatched++] = queue.nowNs() / NS_PER_MS - newestS[dpRank] * 1e3;
    }

    /** Age of the chosen rank's load at each dispatch, milliseconds. */
    Distribution agesMs() {
        return Distribution.of(Arrays.copyOf(agesMs, dispatched), 1);
    }

    /** Reports that the controller has handled so far. */
    long applied() {
        return applied;
    }
}
