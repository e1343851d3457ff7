package dpserve.bench.lab;

import dpserve.bench.sim.SimResult;
import dpserve.io.LoadReport;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/** Which combinations are wanted, and which of them have to be run: one of those that cannot differ. */
public record Plan(
        List<Workload> workloads, List<String> policies, List<LoadReport> paths, List<Integer> delaysMs, int seeds) {

    /** Policies that look at nothing the ranks do. */
    private static final Set<String> BLIND = Set.of("round_robin", "random");

    /**
     * Policies that look at in-flight counts alone. A report can tell them of an end a hop before the end notice does; a
     * piggybacked one never does, nor one that is late by more than a hop.
     */
    private static final Set<String> COUNTING = Set.of("least_requests", "power_of_two", "prefix_affinity");

    /** One wanted combination. */
    public record Combo(Workload workload, Workload.Load load, String policy, LoadReport path, int delayMs) {

        /** The combination that is run for it. */
        Combo representative() {
            boolean early = delayMs == 0 && (path == LoadReport.DIRECT || path == LoadReport.WATCH);
            if (path == LoadReport.ACCOUNTING || BLIND.contains(policy) || COUNTING.contains(policy) && !early) {
                boolean canDiffer =
                        path == LoadReport.ACCOUNTING && !BLIND.contains(policy) && !COUNTING.contains(policy);
                return new Combo(workload, load, policy, canDiffer ? path : LoadReport.PIGGYBACK, 0);
            }
            return this;
        }

        /** Whether reports and their delay make no difference. */
        boolean isAlone() {
            return BLIND.contains(policy) || COUNTING.contains(policy);
        }

        /**
         * One run.
         *
         * @param capacity of the workload, requests per second
         */
        public SimResult run(double capacity, long seed) {
            return workload.run(load.rateAt(capacity), seed, flags());
        }

        List<String> flags() {
            return List.of(
                    "--load-balance-method",
                    policy,
                    "--load-report",
                    path.name(),
                    "--report-delay-ms",
                    Integer.toString(delayMs));
        }
    }

    List<Combo> wanted() {
        List<Combo> combos = new ArrayList<>();
        for (Workload workload : workloads) {
            for (Workload.Load load : workload.loads()) {
                combos.addAll(wanted(workload, load));
            }
        }
        return combos;
    }

    List<Combo> wanted(Workload workload, Workload.Load load) {
        List<Combo> combos = new ArrayList<>();
        for (String policy : policies) {
            for (LoadReport path : paths) {
                for (int delay : delaysMs) {
                    combos.add(new Combo(workload, load, policy, path, delay));
                }
            }
        }
        return combos;
    }

    /** Without repetition, in a fixed order. */
    public List<Combo> toRun() {
        return wanted().stream().map(Combo::representative).distinct().toList();
    }
}
