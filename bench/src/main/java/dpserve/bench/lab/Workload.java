package dpserve.bench.lab;

import dpserve.bench.dataset.DatasetRow;
import dpserve.bench.dataset.Prompt;
import dpserve.bench.dataset.TokenRun;
import dpserve.bench.load.Arrivals;
import dpserve.bench.sim.EventLog;
import dpserve.bench.sim.SimOptions;
import dpserve.bench.sim.SimResult;
import dpserve.bench.sim.Simulation;
import dpserve.scheduler.EngineProfile;
import java.util.ArrayList;
import java.util.List;

/**
 * Requests and the topology that serves them. Equal seeds give equal requests and arrivals, whatever the policy.
 *
 * @param about what it is, one sentence for the report
 * @param requests how many a run has
 * @param flags of the topology: dp_size, KV pool, context length, lockstep
 * @param maxConcurrency most requests in flight, null for no limit
 * @param ttftSloMs goodput counts requests that meet this and {@code tpotSloMs}
 * @param loads the offered loads
 * @param rows makes the requests, with arrival times that are stretched to the load wanted
 */
public record Workload(
        String name,
        String about,
        int requests,
        List<String> flags,
        EngineProfile profile,
        Integer maxConcurrency,
        double ttftSloMs,
        double tpotSloMs,
        List<Load> loads,
        Rows rows) {

    /**
     * An offered load.
     *
     * @param share of the capacity, or 0 if the rate is fixed
     * @param rate requests per second, if fixed
     */
    public record Load(String name, double share, double rate) {
        static final List<Load> SHARES = List.of(new Load("70 %", 0.7, 0), new Load("95 %", 0.95, 0));

        /** Requests per second; infinity sends all at once, as many as may be in flight. */
        double rateAt(double capacity) {
            return share > 0 ? share * capacity : rate;
        }
    }

    /** Makes requests, ascending by time. */
    public interface Rows {
        List<DatasetRow> make(int count, long seed);
    }

    /** The same with another number of requests in a run. */
    public Workload withRequests(int count) {
        return new Workload(name, about, count, flags, profile, maxConcurrency, ttftSloMs, tpotSloMs, loads, rows);
    }

    /**
     * One run.
     *
     * @param rate requests per second on average; infinity sends all at once
     * @param more flags of the topology
     */
    public SimResult run(double rate, long seed, List<String> more) {
        List<DatasetRow> made = rows.make(requests, seed);
        double spanS = (made.get(made.size() - 1).timestampMs() - made.get(0).timestampMs()) / 1e3;
        long[] arrivals = Double.isInfinite(rate)
                ? new long[made.size()]
                : Arrivals.trace(made, rate * spanS / Math.max(1, made.size() - 1));
        List<String> all = new ArrayList<>(flags);
        all.addAll(more);
        return new Simulation(
                        SimOptions.parse(all.toArray(String[]::new)),
                        profile,
                        made,
                        Workload::ids,
                        arrivals,
                        maxConcurrency,
                        seed,
                        new EventLog(null))
                .run();
    }

    /** Whether a load is a share of the capacity, so that one has to know it. */
    public boolean needsCapacity() {
        return loads.stream().anyMatch(l -> l.share() > 0);
    }

    /** Requests per second that end while more wait than can be served. */
    public double capacity(long seed, String policy) {
        return run(Double.POSITIVE_INFINITY, seed, List.of("--load-balance-method", policy))
                .steadyThroughput();
    }

    /** Prompts here need no words: ids from a linear congruential generator, equal for equal runs. */
    static int[] ids(DatasetRow row) {
        Prompt.Tokens prompt = (Prompt.Tokens) row.prompt();
        int[] ids = new int[prompt.length()];
        int at = 0;
        for (TokenRun run : prompt.runs()) {
            long x = ((TokenRun.Words) run).seed();
            for (int i = 0; i < run.length(); i++) {
                x = x * 6364136223846793005L + 1442695040888963407L;
                ids[at++] = 1000 + (int) (x >>> 50);
            }
        }
        return ids;
    }
}
