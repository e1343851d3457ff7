package dpserve.bench.live;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/** The table of scripts/dev/live-balance.sh, row by row, and its CSV. One row is one policy at one delay, over all seeds. */
public final class BalanceTable {
    private static final String ROW = "%-7s %8s  %-15s %-22s %10s   %s%n";

    /**
     * One run.
     *
     * @param peaks the most requests held at once
     * @param full moments at which all were held
     * @param even those in which the ranks were even
     * @param bad requests without a whole and right reply
     * @param limited whether the machine was too slow for the times to be the model's
     */
    public record Run(
            int workers,
            double delayMs,
            String policy,
            long seed,
            HeldPeaks peaks,
            int full,
            int even,
            int bad,
            boolean limited) {}

    private final int open;
    private final int ranks;

    /**
     * @param open requests that clients have open
     * @param ranks number of ranks
     */
    public BalanceTable(int open, int ranks) {
        this.open = open;
        this.ranks = ranks;
    }

    /** The even share, rounded up. */
    public int even() {
        return share(open);
    }

    private int share(int requests) {
        return (requests + ranks - 1) / ranks;
    }

    /** What the columns are. */
    public String header() {
        return String.format(ROW, "workers", "delay ms", "policy", "most held by a rank", "seeds > " + even(), "")
                + "-".repeat(78)
                + System.lineSeparator();
    }

    /** The row of the runs of one policy at one delay, which differ in their seeds. */
    public String row(List<Run> runs) {
        Run first = runs.get(0);
        int[] most = runs.stream().mapToInt(r -> r.peaks().most()).sorted().toArray();
        int full = runs.stream().mapToInt(Run::full).sum();
        int even = runs.stream().mapToInt(Run::even).sum();
        List<String> notes = new ArrayList<>();
        notes.add(String.format(
                Locale.ROOT, "all at %d in %,d of the %,d samples with %d held", even(), even, full, open));
        if (first.workers() > 1) {
            int transit =
                    runs.stream().mapToInt(r -> r.peaks().inFlight()).max().orElseThrow() - open;
            notes.add(String.format(
                    Locale.ROOT,
                    "excess %d, end notices in transit up to %d, which allow %d",
                    most[most.length - 1] - even(),
                    transit,
                    share(open + transit) - even()));
        }
        int bad = runs.stream().mapToInt(Run::bad).sum();
        if (bad > 0) {
            notes.add(bad + " REPLIES WRONG OR LOST");
        }
        long limited = runs.stream().filter(Run::limited).count();
        if (limited > 0) {
            notes.add(limited + " runs limited by this machine");
        }
        return String.format(
                ROW,
                first.workers(),
                String.format(Locale.ROOT, "%.0f", first.delayMs()),
                first.policy(),
                most[most.length - 1] + " (median " + most[most.length / 2] + ")",
                Arrays.stream(most).filter(m -> m > even()).count() + " of " + most.length,
                String.join("; ", notes));
    }

    /** The first line of the CSV. */
    public String csvHeader() {
        StringBuilder s = new StringBuilder("tokenizer_workers,delay_ms,policy,seed,most_held");
        for (int r = 0; r < ranks; r++) {
            s.append(",most_held_rank_").append(r);
        }
        return s
                + ",most_in_flight_of_controller,samples_all_held,samples_all_held_and_even,bad_replies,limited_by_machine";
    }

    /** One run as a line of the CSV. */
    public static String csv(Run r) {
        return String.format(
                Locale.ROOT,
                "%d,%s,%s,%d,%d,%s,%d,%d,%d,%d,%b",
                r.workers(),
                r.delayMs(),
                r.policy(),
                r.seed(),
                r.peaks().most(),
                Arrays.stream(r.peaks().perRank()).mapToObj(Integer::toString).collect(Collectors.joining(",")),
                r.peaks().inFlight(),
                r.full(),
                r.even(),
                r.bad(),
                r.limited());
    }
}
