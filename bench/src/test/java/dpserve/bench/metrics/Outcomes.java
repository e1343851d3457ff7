package dpserve.bench.metrics;

import dpserve.bench.metrics.RequestOutcome.Ending;
import java.util.Map;

/** Outcomes with given figures. */
public final class Outcomes {
    private Outcomes() {}

    public static RequestOutcome ok(int row, double startS, double ttftS, double latencyS, double... itlS) {
        return new RequestOutcome(
                row,
                Ending.COMPLETE,
                "",
                startS,
                0,
                latencyS,
                ttftS,
                itlS,
                10,
                itlS.length + 1,
                4,
                "some words",
                null,
                "rid" + row,
                row % 2,
                Map.of());
    }

    public static RequestOutcome failed(int row, Ending ending, String problem) {
        return new RequestOutcome(
                row, ending, problem, 0, 0, 1, 1, new double[0], 10, 0, 0, "", null, null, -1, Map.of());
    }
}
