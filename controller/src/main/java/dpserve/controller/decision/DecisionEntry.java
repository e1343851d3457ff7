package dpserve.controller.decision;

import dpserve.controller.policy.RankSnapshot;
import dpserve.controller.policy.RequestInfo;
import dpserve.io.message.GetLoadReqOutput;
import java.util.List;

/** One entry of the decision record: all that a policy was told and asked, in its order. Times are epoch seconds. */
public sealed interface DecisionEntry {

    /** When it happened. */
    double atS();

    /**
     * A fresh policy decides from here on.
     *
     * @param method its name in {@link dpserve.controller.policy.Policies}
     * @param timeScale factor on its periods
     * @param budgetInterval value of SGLANG_DATA_PARALLEL_BUDGET_INTERVAL
     * @param seed of what it draws
     */
    record PolicySet(double atS, String method, double timeScale, int budgetInterval, long seed)
            implements DecisionEntry {}

    /** Reports reached the policy; the ranks are as it saw them, with these reports applied. */
    record Reported(double atS, RankSnapshot ranks, List<GetLoadReqOutput> loads) implements DecisionEntry {}

    /**
     * The policy chose.
     *
     * @param request without what only forwarding needs
     * @param chosen dp_rank, or a refusal of {@link dpserve.controller.policy.DispatchPolicy}
     * @param ranks what the policy saw
     * @param agesMs for each rank, how old its newest report was; -1 without one
     * @param scores for each rank, what the policy weighed; NaN if it weighs nothing
     */
    record Decided(double atS, RequestInfo request, int chosen, RankSnapshot ranks, double[] agesMs, double[] scores)
            implements DecisionEntry {}
}
