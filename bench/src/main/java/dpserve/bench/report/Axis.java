package dpserve.bench.report;

import java.util.ArrayList;
import java.util.List;

/** Values along one side of a chart: their place in pixels, and where the ticks stand. */
final class Axis {
    /** A tick and its text. */
    record Tick(double value, String label) {}

    private static final int WANTED_TICKS = 6;

    private final double low;
    private final double high;
    private final boolean log;
    private final double fromPx;
    private final double toPx;
    private final List<Tick> ticks;

    private Axis(double low, double high, boolean log, double fromPx, double toPx, List<Tick> ticks) {
        this.low = low;
        this.high = high;
        this.log = log;
        this.fromPx = fromPx;
        this.toPx = toPx;
        this.ticks = ticks;
    }

    /** From 0, or below it, to the first tick above all values. */
    static Axis linear(double min, double max, boolean fromZero, double fromPx, double toPx) {
        double low = fromZero ? Math.min(0, min) : min;
        double high = max > low ? max : low + 1;
        double step = niceStep((high - low) / WANTED_TICKS);
        double first = Math.floor(low / step) * step;
        List<Tick> ticks = new ArrayList<>();
        for (int i = 0; ; i++) {
            double value = first + i * step;
            ticks.add(new Tick(value, Html.number(Math.abs(value) < step / 1e6 ? 0 : value)));
            if (value >= high - step * 1e-9) {
                return new Axis(first, value, false, fromPx, toPx, ticks);
            }
        }
    }

    /** Whole powers of ten around all values, with 2 and 5 between them if there are few. Values at or below 0 lie at the foot. */
    static Axis logarithmic(double min, double max, double fromPx, double toPx) {
        int from = (int) Math.floor(Math.log10(min) + 1e-9);
        int to = Math.max(from + 1, (int) Math.ceil(Math.log10(max) - 1e-9));
        List<Tick> ticks = new ArrayList<>();
        for (int power = from; power <= to; power++) {
            for (int digit : to - from <= 2 ? new int[] {1, 2, 5} : new int[] {1}) {
                if (power < to || digit == 1) {
                    double value = digit * Math.pow(10, power);
                    ticks.add(new Tick(value, Html.number(value)));
                }
            }
        }
        return new Axis(Math.pow(10, from), Math.pow(10, to), true, fromPx, toPx, ticks);
    }

    /** Values 0, 1, 2, ... that have names, evenly spread. */
    static Axis named(List<String> names, double fromPx, double toPx) {
        List<Tick> ticks = new ArrayList<>();
        for (int i = 0; i < names.size(); i++) {
            ticks.add(new Tick(i, names.get(i)));
        }
        return new Axis(-0.5, names.size() - 0.5, false, fromPx, toPx, ticks);
    }

    private static double niceStep(double rough) {
        double power = Math.pow(10, Math.floor(Math.log10(rough)));
        double digit = rough / power;
        return power * (digit <= 1 ? 1 : digit <= 2 ? 2 : digit <= 5 ? 5 : 10);
    }

    double px(double value) {
        double share =
                log ? Math.log10(Math.max(value, low) / low) / Math.log10(high / low) : (value - low) / (high - low);
        return fromPx + share * (toPx - fromPx);
    }

    List<Tick> ticks() {
        return ticks;
    }
}
