package dpserve.controller.decision;

import dpserve.controller.DecisionRecorder;
import dpserve.controller.LoadView;
import dpserve.controller.policy.DispatchPolicy;
import dpserve.controller.policy.Policies;
import dpserve.controller.policy.RankSnapshot;
import dpserve.controller.policy.RequestInfo;
import dpserve.io.message.GetLoadReqOutput;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.LongToDoubleFunction;

/** Makes an entry of everything that a policy is told and asked. */
public final class DecisionRecording implements DecisionRecorder {
    private static final double NS_PER_MS = 1e6;

    private final Policies.Settings settings;
    private final LongToDoubleFunction epochSeconds;
    private final Consumer<DecisionEntry> sink;

    /**
     * @param settings of the policies that are recorded
     * @param epochSeconds seconds since the epoch at a monotonic time
     * @param sink takes the entries in their order, on the controller's thread
     */
    public DecisionRecording(
            Policies.Settings settings, LongToDoubleFunction epochSeconds, Consumer<DecisionEntry> sink) {
        this.settings = settings;
        this.epochSeconds = epochSeconds;
        this.sink = sink;
    }

    @Override
    public void onPolicy(String method, long nowNs) {
        sink.accept(new DecisionEntry.PolicySet(
                epochSeconds.applyAsDouble(nowNs),
                method,
                settings.timeScale(),
                settings.budgetInterval(),
                settings.seed()));
    }

    @Override
    public void onReport(LoadView view, List<GetLoadReqOutput> loads, long nowNs) {
        sink.accept(new DecisionEntry.Reported(
                epochSeconds.applyAsDouble(nowNs), RankSnapshot.of(view), List.copyOf(loads)));
    }

    @Override
    public void onDecision(LoadView view, RequestInfo request, DispatchPolicy policy, int chosen, long nowNs) {
        double[] ages = new double[view.slots()];
        double[] scores = new double[view.slots()];
        for (int r = 0; r < ages.length; r++) {
            long ageNs = view.reportAgeNs(r, nowNs);
            ages[r] = ageNs < 0 ? -1 : ageNs / NS_PER_MS;
            scores[r] = policy.score(view, request, r);
        }
        sink.accept(new DecisionEntry.Decided(
                epochSeconds.applyAsDouble(nowNs), toKeep(request), chosen, RankSnapshot.of(view), ages, scores));
    }

    /** Without what only forwarding needs, and with a rid of its own: where it lies it would hold on to the whole frame. */
    private static RequestInfo toKeep(RequestInfo request) {
        return new RequestInfo(
                request.rid(),
                null,
                request.promptTokens(),
                RequestInfo.NO_RANK,
                request.bootstrapRoom(),
                request.routingKey(),
                request.prefixHashes(),
                false);
    }
}
