package dpserve.bench.compare;

import dpserve.bench.sim.ImbalanceMeter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The step logs of all ranks of one run ({@code scheduler --step-log}), from the first request of the measured load on.
 */
public final class StepRows {
    private static final String COLUMNS =
            "step,end_s,wall_ms,modelled_ms,own_ms,num_running_reqs,num_waiting_reqs,num_tokens,num_used_tokens";

    /** What a rank held at the end of a step; times in wall seconds and modelled milliseconds. */
    public record Row(
            long step, double endS, double modelledMs, double ownMs, int running, int waiting, int tokens, int used) {}

    private final List<List<Row>> ranks;
    private final boolean together;

    private StepRows(List<List<Row>> ranks, boolean together) {
        this.ranks = ranks;
        this.together = together;
    }

    /**
     * Reads {@code steps-<dp_rank>.csv} for rank 0, 1 and so on.
     *
     * @param fromS epoch seconds; earlier steps belong to the warm-up
     * @param together whether equal step numbers mean the same step
     * @throws IOException if there is none, or a line is not one of a step log
     */
    public static StepRows read(Path folder, double fromS, boolean together) throws IOException {
        List<List<Row>> ranks = new ArrayList<>();
        for (Path file = file(folder, 0); Files.exists(file); file = file(folder, ranks.size())) {
            ranks.add(read(file, fromS));
        }
        if (ranks.isEmpty()) {
            throw new IOException("no step log in " + folder);
        }
        return new StepRows(ranks, together);
    }

    private static Path file(Path folder, int dpRank) {
        return folder.resolve("steps-" + dpRank + ".csv");
    }

    private static List<Row> read(Path file, double fromS) throws IOException {
        List<String> lines = Files.readAllLines(file);
        if (lines.isEmpty() || !lines.get(0).equals(COLUMNS)) {
            throw new IOException(file + " is not a step log");
        }
        List<Row> rows = new ArrayList<>();
        for (int i = 1; i < lines.size(); i++) {
            Row row = row(file, i, lines.get(i));
            if (row.endS() >= fromS) {
                rows.add(row);
            }
        }
        return rows;
    }

    private static Row row(Path file, int line, String text) throws IOException {
        String[] f = text.split(",");
        try {
            return new Row(
                    Long.parseLong(f[0]),
                    Double.parseDouble(f[1]),
                    Double.parseDouble(f[3]),
                    Double.parseDouble(f[4]),
                    Integer.parseInt(f[5]),
                    Integer.parseInt(f[6]),
                    Integer.parseInt(f[7]),
                    Integer.parseInt(f[8]));
        } catch (NumberFormatException | ArrayIndexOutOfBoundsException e) {
            throw new IOException(file + ", line " + (line + 1) + ": not a line of a step log");
        }
    }

    /** Number of ranks. */
    public int ranks() {
        return ranks.size();
    }

    /** The steps of a rank, in their order. */
    public List<Row> of(int dpRank) {
        return ranks.get(dpRank);
    }

    /** Epoch seconds of the first step of any rank; 0 without any. */
    public double firstS() {
        return ranks.stream()
                .filter(rows -> !rows.isEmpty())
                .mapToDouble(rows -> rows.get(0).endS())
                .min()
                .orElse(0);
    }

    /**
     * How even the ranks were while more requests were to come.
     *
     * @param untilS epoch seconds of the last dispatch
     */
    public ImbalanceMeter.Figures imbalance(double untilS) {
        ImbalanceMeter meter = new ImbalanceMeter();
        if (together) {
            byStep(meter, untilS);
        } else {
            byTime(meter, untilS);
        }
        return meter.figures();
    }

    private void byStep(ImbalanceMeter meter, double untilS) {
        Map<Long, Row[]> steps = new HashMap<>();
        for (int r = 0; r < ranks.size(); r++) {
            for (Row row : ranks.get(r)) {
                steps.computeIfAbsent(row.step(), s -> new Row[ranks.size()])[r] = row;
            }
        }
        for (Row[] step : steps.values()) {
            if (isWhole(step)) {
                for (Row row : step) {
                    meter.barrier((long) (row.ownMs() * 1e6), (long) (row.modelledMs() * 1e6));
                }
                sample(meter, step, step[0].endS() <= untilS);
            }
        }
    }

    private static boolean isWhole(Row[] step) {
        for (Row row : step) {
            if (row == null) {
                return false;
            }
        }
        return true;
    }

    /** Ranks that step alone: what each held last, at the end of every step of rank 0. */
    private void byTime(ImbalanceMeter meter, double untilS) {
        int[] at = new int[ranks.size()];
        for (Row pace : ranks.get(0)) {
            Row[] now = new Row[ranks.size()];
            for (int r = 0; r < now.length; r++) {
                List<Row> rows = ranks.get(r);
                while (at[r] + 1 < rows.size() && rows.get(at[r] + 1).endS() <= pace.endS()) {
                    at[r]++;
                }
                now[r] = rows.isEmpty() || rows.get(at[r]).endS() > pace.endS() ? null : rows.get(at[r]);
            }
            if (isWhole(now)) {
                sample(meter, now, pace.endS() <= untilS);
            }
        }
    }

    private static void sample(ImbalanceMeter meter, Row[] now, boolean inWindow) {
        int[] running = new int[now.length];
        int[] waiting = new int[now.length];
        int[] tokens = new int[now.length];
        int[] used = new int[now.length];
        int all = 0;
        for (int r = 0; r < now.length; r++) {
            running[r] = now[r].running();
            waiting[r] = now[r].waiting();
            tokens[r] = now[r].tokens();
            used[r] = now[r].used();
            all += running[r] + waiting[r];
        }
        for (int r = 0; r < now.length; r++) {
            meter.held(running[r] + waiting[r], all, now.length);
        }
        if (inWindow && all > 0) {
            meter.sample(running, waiting, tokens, used);
        }
    }
}
