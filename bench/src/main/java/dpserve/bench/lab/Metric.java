package dpserve.bench.lab;

import dpserve.bench.sim.ImbalanceMeter;
import dpserve.bench.sim.SimResult;
import java.util.function.ToDoubleBiFunction;
import java.util.function.ToDoubleFunction;

/** What is read off a run. */
public enum Metric {
    MOST_ABOVE_EVEN("most held above even", "requests", true, f -> f.mostAboveEven()),
    RUNNING_P50("running max/min p50", "", true, f -> f.requestsRatio().median()),
    RUNNING_P90("running max/min p90", "", true, f -> f.requestsRatio().p90()),
    RUNNING_P95("running max/min p95", "", true, f -> f.requestsRatio().p95()),
    TOKENS_P50("tokens max/min p50", "", true, f -> f.tokensRatio().median()),
    TOKENS_P90("tokens max/min p90", "", true, f -> f.tokensRatio().p90()),
    TOKENS_P95("tokens max/min p95", "", true, f -> f.tokensRatio().p95()),
    BALANCE("balance ratio", "mean/max tokens", false, f -> f.balance().mean()),
    RUNNING_STD("std of running", "requests", true, ImbalanceMeter.Figures::requestsStd),
    QUEUE_STD("std of queue", "requests", true, ImbalanceMeter.Figures::queueStd),
    KV_STD("std of KV use", "tokens", true, ImbalanceMeter.Figures::usedStd),
    BARRIER_IDLE("barrier idle", "share of step time", true, ImbalanceMeter.Figures::barrierIdle),
    TTFT_MEAN("mean TTFT", "ms", true, (r, w) -> r.ttftMs().mean()),
    TTFT_P99("P99 TTFT", "ms", true, (r, w) -> r.ttftMs().p99()),
    TPOT_P99("P99 TPOT", "ms", true, (r, w) -> r.tpotMs().p99()),
    GOODPUT("goodput", "req/s", false, (r, w) -> r.goodput(w.ttftSloMs(), w.tpotSloMs())),
    THROUGHPUT("output throughput", "tok/s", false, (r, w) -> r.outputThroughput()),
    REPORTS("reports per dispatch", "", true, (r, w) -> r.reports() / (double) w.requests()),
    REJECTED("rejected", "requests", true, (r, w) -> r.failed());

    private final String label;
    private final String unit;
    private final boolean lessIsBetter;
    private final ToDoubleBiFunction<SimResult, Workload> of;

    Metric(String label, String unit, boolean lessIsBetter, ToDoubleBiFunction<SimResult, Workload> of) {
        this.label = label;
        this.unit = unit;
        this.lessIsBetter = lessIsBetter;
        this.of = of;
    }

    Metric(String label, String unit, boolean lessIsBetter, ToDoubleFunction<ImbalanceMeter.Figures> of) {
        this(label, unit, lessIsBetter, (r, w) -> of.applyAsDouble(r.imbalance()));
    }

    /** With its unit. */
    public String label() {
        return unit.isEmpty() ? label : label + " (" + unit + ")";
    }

    /** Whether the interval of a difference lies wholly on the worse side. */
    boolean isWorse(Bootstrap.Interval difference) {
        return lessIsBetter ? difference.low() > 0 : difference.high() < 0;
    }

    /** All of them, by ordinal. */
    public static double[] read(SimResult result, Workload workload) {
        Metric[] all = values();
        double[] values = new double[all.length];
        for (Metric m : all) {
            values[m.ordinal()] = m.of.applyAsDouble(result, workload);
        }
        return values;
    }
}
