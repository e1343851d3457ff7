package dpserve.bench.metrics;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Requests that met every latency objective.
 *
 * @param slosMs the objectives by name (ttft, tpot, e2el), milliseconds, in the order given
 * @param requestGoodput such requests per second
 * @param attainment share of all requests sent, failed ones included
 * @param attainmentByMetric the same for each objective alone
 */
public record Goodput(
        Map<String, Double> slosMs, double requestGoodput, double attainment, Map<String, Double> attainmentByMetric) {

    /**
     * Reads {@code ttft:500} and the like.
     *
     * @throws IllegalArgumentException naming the entry that is wrong
     */
    public static Map<String, Double> parse(List<String> entries) {
        Map<String, Double> slos = new LinkedHashMap<>();
        for (String entry : entries) {
            int colon = entry.indexOf(':');
            String name = colon < 0 ? entry : entry.substring(0, colon);
            double ms;
            try {
                ms = Double.parseDouble(entry.substring(colon + 1));
            } catch (NumberFormatException e) {
                ms = Double.NaN;
            }
            if (!List.of("ttft", "tpot", "e2el").contains(name) || !(ms > 0) || Double.isInfinite(ms)) {
                throw new IllegalArgumentException(
                        "--goodput takes ttft:MS, tpot:MS or e2el:MS with MS above 0, not " + entry);
            }
            slos.put(name, ms);
        }
        return slos;
    }

    /** @param outcomes all requests sent */
    public static Goodput of(List<RequestOutcome> outcomes, Map<String, Double> slosMs, double durationS) {
        int good = 0;
        Map<String, Double> met = new LinkedHashMap<>();
        slosMs.keySet().forEach(name -> met.put(name, 0.0));
        for (RequestOutcome o : outcomes) {
            int count = 0;
            for (Map.Entry<String, Double> slo : slosMs.entrySet()) {
                if (o.success() && observedMs(o, slo.getKey()) <= slo.getValue()) {
                    met.merge(slo.getKey(), 1.0 / outcomes.size(), Double::sum);
                    count++;
                }
            }
            good += count == slosMs.size() ? 1 : 0;
        }
        return new Goodput(slosMs, good / durationS, (double) good / outcomes.size(), met);
    }

    private static double observedMs(RequestOutcome o, String name) {
        return 1e3
                * switch (name) {
                    case "ttft" -> o.ttftS();
                    case "tpot" -> o.tpotS();
                    default -> o.latencyS();
                };
    }
}
