package dpserve.bench.chaos;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeSet;

/** What the faults of one or more runs did, as one table. */
public final class ChaosTable {
    private static final String FORMAT = "%-42s %-25s %5s %8s %5s %4s %7s %15s %11s%n";

    /** Rows of the fault matrix that no run here makes, and why. */
    private static final String[][] NOT_RUN = {
        {"a process stops reading, but goes on otherwise", "from outside only SIGSTOP stops it; a client does it above"
        },
        {"duplicated, reordered or lost messages", "TCP on one host does none of it; scripts/simulate.sh does"},
        {"faults of a network between hosts", "there is one host here"},
    };

    /**
     * What one fault did.
     *
     * @param row of the table
     * @param requests that ended in any way
     * @param wrong of them
     * @param cut connections that were lost with their tokenizer worker
     * @param refused with 503
     * @param longestGapMs between two events of a stream
     * @param recoveryMs until every process was there and a request was answered; from a stop's or a slowness's end
     */
    public record Entry(
            String row,
            String phase,
            int requests,
            int wrong,
            int cut,
            int refused,
            long longestGapMs,
            long recoveryMs) {}

    private ChaosTable() {}

    /** A row for each kind of fault, those that did not come up and those that cannot be made here included. */
    public static String of(List<Entry> entries) {
        Map<String, List<Entry>> rows = new LinkedHashMap<>();
        FaultPlan.rows().forEach(row -> rows.put(row, new ArrayList<>()));
        entries.forEach(e -> rows.computeIfAbsent(e.row, r -> new ArrayList<>()).add(e));
        StringBuilder out = new StringBuilder(String.format(
                FORMAT,
                "fault",
                "phases",
                "times",
                "requests",
                "wrong",
                "cut",
                "refused",
                "longest gap, ms",
                "recovery, ms"));
        List<String> missed = new ArrayList<>();
        rows.forEach((row, all) -> {
            if (all.isEmpty()) {
                missed.add(row);
            } else {
                append(out, row, all);
            }
        });
        append(out, "all", entries);
        if (!missed.isEmpty()) {
            out.append("not reached in this time: ")
                    .append(String.join("; ", missed))
                    .append('\n');
        }
        for (String[] row : NOT_RUN) {
            out.append(String.format("not run here: %s (%s)%n", row[0], row[1]));
        }
        return out.toString();
    }

    private static void append(StringBuilder out, String row, List<Entry> all) {
        TreeSet<String> phases = new TreeSet<>();
        all.forEach(e -> phases.add(e.phase));
        long[] recovery = all.stream().mapToLong(Entry::recoveryMs).sorted().toArray();
        long most = Arrays.stream(recovery).max().orElse(0);
        String times = recovery.length < 2 ? "" + most : recovery[recovery.length / 2] + " to " + most;
        out.append(String.format(
                Locale.ROOT,
                FORMAT,
                row,
                row.equals("all") ? "" : String.join(" ", phases),
                all.size(),
                all.stream().mapToInt(Entry::requests).sum(),
                all.stream().mapToInt(Entry::wrong).sum(),
                all.stream().mapToInt(Entry::cut).sum(),
                all.stream().mapToInt(Entry::refused).sum(),
                all.stream().mapToLong(Entry::longestGapMs).max().orElse(0),
                times));
    }
}
