package dpserve.bench.lab;

import dpserve.bench.dataset.DatasetRow;
import dpserve.bench.dataset.Datasets;
import dpserve.bench.dataset.Prompt;
import dpserve.bench.dataset.Seeds;
import dpserve.bench.dataset.TokenRun;
import dpserve.bench.lab.Workload.Load;
import dpserve.scheduler.EngineProfile;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;

/**
 * The four workloads of the laboratory, and one of sheer pressure. Without a trace file they are stand-ins: lengths and gaps drawn, each by itself, from
 * quantiles of the public traces. That keeps how long and how bursty they are, and loses how lengths go together and how
 * bursts follow each other; with the file ({@code --trace}) each seed replays another stretch of it.
 */
public final class Workloads {
    public static final String PR = "pr_11469";
    public static final String CODE = "azure_code";
    public static final String CONVERSATION = "azure_conversation";
    public static final String MOONCAKE = "mooncake";

    public static final String PRESSURE = "pressure_25142";

    /** A decode rank behind a prefill server: prompts arrive as KV, so that prefill takes next to nothing. */
    private static final EngineProfile DECODE = decodeOnly(EngineProfile.defaultProfile());

    private static final int PRESSURE_IN_FLIGHT = 16_500;
    private static final int ROWS = 81;
    private static final int RUN = 82;
    private static final int WINDOW = 83;

    /** Mooncake's trace: prompts of at least this length often begin as an earlier one does (they are sessions). */
    private static final int SESSION_TOKENS = 1000;

    /** How many of those do; with it, 45 % of all prompts share a prefix, as in the trace. */
    private static final double SESSION_SHARE = 0.64;

    /** A prompt continues one of so many before it. */
    private static final int SESSION_MEMORY = 200;

    private Workloads() {}

    /** @param traces files by name of the workload; those without one are drawn */
    public static List<Workload> all(Map<String, String> traces) throws IOException {
        Map<String, Quantiles> quantiles = Quantiles.builtIn();
        List<Load> published = new ArrayList<>(Load.SHARES);
        published.add(new Load("as published, 4/s", 0, 4));
        return List.of(
                new Workload(
                        PR,
                        "PR #11469: 500 tokens in, 1,500 out, at most 100 in flight; decode ranks that step together",
                        400,
                        List.of("--dp-size", "4", "--enable-dp-attention"),
                        DECODE,
                        100,
                        2000,
                        60,
                        published,
                        Workloads::pr),
                new Workload(
                        CONVERSATION,
                        "Azure conversation: 1,155 tokens in and 211 out on average, steady arrivals",
                        2000,
                        List.of("--dp-size", "4", "--context-length", "16384"),
                        EngineProfile.defaultProfile(),
                        null,
                        2000,
                        100,
                        Load.SHARES,
                        rows(CONVERSATION, "azure", traces, quantiles)),
                new Workload(
                        CODE,
                        "Azure code: 2,048 tokens in and 28 out on average, very bursty arrivals",
                        2000,
                        List.of("--dp-size", "4", "--context-length", "16384"),
                        EngineProfile.defaultProfile(),
                        null,
                        5000,
                        400,
                        Load.SHARES,
                        rows(CODE, "azure", traces, quantiles)),
                new Workload(
                        MOONCAKE,
                        "Mooncake synthetic: 15,325 tokens in and 149 out on average, shared prefixes; prompts over the"
                                + " context length are rejected",
                        1000,
                        List.of("--dp-size", "4", "--context-length", "131072", "--max-total-tokens", "400000"),
                        EngineProfile.defaultProfile(),
                        null,
                        10_000,
                        300,
                        Load.SHARES,
                        rows(MOONCAKE, "mooncake", traces, quantiles)),
                new Workload(
                        PRESSURE,
                        "Issue #25142: 16,500 in flight on 32 decode ranks that step together, 512 to 1,536 tokens in and"
                                + " out; each report arrives 1.8 times, which makes about 5.6 for each dispatch",
                        2 * PRESSURE_IN_FLIGHT,
                        List.of(
                                "--dp-size",
                                "32",
                                "--enable-dp-attention",
                                "--max-total-tokens",
                                "2000000",
                                "--report-copies",
                                "1.8"),
                        DECODE,
                        PRESSURE_IN_FLIGHT,
                        60_000,
                        500,
                        List.of(new Load("16,500 in flight", 0, Double.POSITIVE_INFINITY)),
                        Workloads::pressure));
    }

    private static EngineProfile decodeOnly(EngineProfile p) {
        return new EngineProfile(1, 0.001, p.decodeBaseMs(), p.decodePerRequestMs(), p.decodePerKvTokenMs());
    }

    private static List<DatasetRow> pressure(int count, long seed) {
        Random random = Seeds.random(seed, ROWS);
        List<DatasetRow> rows = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            rows.add(row(seed, i, 512 + random.nextInt(1025), 512 + random.nextInt(1025), 0));
        }
        return rows;
    }

    private static List<DatasetRow> pr(int count, long seed) {
        Random random = Seeds.random(seed, ROWS);
        List<DatasetRow> rows = new ArrayList<>();
        double ms = 0;
        for (int i = 0; i < count; i++) {
            rows.add(row(seed, i, 500, 1500, ms));
            ms -= StrictMath.log(1 - random.nextDouble());
        }
        return rows;
    }

    private static Workload.Rows rows(
            String name, String format, Map<String, String> traces, Map<String, Quantiles> quantiles)
            throws IOException {
        if (traces.containsKey(name)) {
            List<DatasetRow> trace = Datasets.trace(format, traces.get(name), Integer.MAX_VALUE, 0);
            return (count, seed) -> window(trace, count, seed);
        }
        Quantiles input = quantiles.get(name + ".input");
        Quantiles output = quantiles.get(name + ".output");
        Quantiles gap = quantiles.get(name + ".gap");
        boolean sessions = name.equals(MOONCAKE);
        return (count, seed) -> drawn(input, output, gap, sessions, count, seed);
    }

    /** Successive rows from a place that depends on the seed. */
    static List<DatasetRow> window(List<DatasetRow> trace, int count, long seed) {
        int length = Math.min(count, trace.size());
        int from = Seeds.random(seed, WINDOW).nextInt(trace.size() - length + 1);
        return trace.subList(from, from + length);
    }

    static List<DatasetRow> drawn(
            Quantiles input, Quantiles output, Quantiles gap, boolean sessions, int count, long seed) {
        Random random = Seeds.random(seed, ROWS);
        List<DatasetRow> rows = new ArrayList<>();
        double ms = 0;
        for (int i = 0; i < count; i++) {
            int in = input.drawLength(random);
            int out = output.drawLength(random);
            DatasetRow earlier = null;
            if (sessions && in >= SESSION_TOKENS && i > 0 && random.nextDouble() < SESSION_SHARE) {
                earlier = rows.get(i - 1 - random.nextInt(Math.min(i, SESSION_MEMORY)));
            }
            rows.add(
                    earlier == null || earlier.promptLen() < SESSION_TOKENS
                            ? row(seed, i, in, out, ms)
                            : continued(earlier, seed, i, in, out, ms));
            ms += gap.draw(random);
        }
        return rows;
    }

    static DatasetRow row(long seed, int number, int in, int out, double ms) {
        TokenRun run = new TokenRun.Words(Seeds.mix(seed, RUN, number), in);
        return new DatasetRow(new Prompt.Tokens(run), in, out, ms, null);
    }

    /** A prompt that begins with all of an earlier one, as far as it is long enough. */
    private static DatasetRow continued(DatasetRow earlier, long seed, int number, int in, int out, double ms) {
        List<TokenRun> runs = new ArrayList<>();
        int left = in;
        for (TokenRun run : ((Prompt.Tokens) earlier.prompt()).runs()) {
            int length = Math.min(left, run.length());
            if (length > 0) {
                runs.add(new TokenRun.Words(((TokenRun.Words) run).seed(), length));
            }
            left -= length;
        }
        if (left > 0) {
            runs.add(new TokenRun.Words(Seeds.mix(seed, RUN, number), left));
        }
        return new DatasetRow(new Prompt.Tokens(runs), in, out, ms, null);
    }
}
