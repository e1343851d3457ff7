package dpserve.bench.lab;

import dpserve.bench.lab.Plan.Combo;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** What was read off all runs, by combination, metric and seed. */
public final class Results {
    private final Plan plan;
    private final Map<String, Double> capacities;
    private final Map<Combo, double[][]> values = new HashMap<>();

    /** @param capacities requests per second by name of the workload */
    public Results(Plan plan, Map<String, Double> capacities) {
        this.plan = plan;
        this.capacities = capacities;
    }

    /** Takes one run of a combination that was to be run. */
    public void add(Combo combo, int seed, double[] metrics) {
        double[][] byMetric = values.computeIfAbsent(combo, c -> new double[Metric.values().length][plan.seeds()]);
        for (int m = 0; m < metrics.length; m++) {
            byMetric[m][seed] = metrics[m];
        }
    }

    Plan plan() {
        return plan;
    }

    double capacity(Workload workload) {
        return capacities.get(workload.name());
    }

    /** One value for each seed, from the run that stands for this combination. */
    double[] of(Combo combo, Metric metric) {
        return values.get(combo.representative())[metric.ordinal()];
    }

    /** How often a policy is worse than another one, and by how much at most. */
    record Verdict(int worse, int compared, double mostPercent, String against) {}

    /**
     * Compares a policy with every other one at equal load, path, delay and seeds: worse is where the whole interval of the
     * paired difference lies on the worse side.
     */
    Verdict verdict(Workload workload, String policy, List<Metric> metrics) {
        int worse = 0;
        int compared = 0;
        double most = 0;
        String against = "";
        for (Workload.Load load : workload.loads()) {
            for (Combo other : plan.wanted(workload, load)) {
                Combo own = new Combo(workload, load, policy, other.path(), other.delayMs());
                for (Metric metric : other.policy().equals(policy) ? List.<Metric>of() : metrics) {
                    double[] b = of(other, metric);
                    Bootstrap.Interval difference = Bootstrap.difference(of(own, metric), b);
                    compared++;
                    if (metric.isWorse(difference)) {
                        worse++;
                        double percent = 100
                                * Math.abs(difference.mean())
                                / Bootstrap.mean(b).mean();
                        if (percent > most) {
                            most = percent;
                            against = metric.label() + " against " + other.policy() + ", " + load.name();
                        }
                    }
                }
            }
        }
        return new Verdict(worse, compared, most, against);
    }
}
