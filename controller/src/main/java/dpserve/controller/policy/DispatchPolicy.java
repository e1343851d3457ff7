package dpserve.controller.policy;

import dpserve.io.message.GetLoadReqOutput;
import java.util.List;

/**
 * Chooses the rank for each request. Single-threaded and deterministic: it never waits, reads a clock or draws from a
 * random source that it was not given, and {@link #choose} allocates nothing. It may keep state of its own.
 *
 * <p>A request with an explicit routed_dp_rank and a health probe never reach a policy. A new policy is one class and
 * one line in {@link Policies}.
 */
public interface DispatchPolicy {

    /** From {@link #choose}: the one rank this request may go to is not live; the request is refused with 503. */
    int NOT_LIVE = -1;

    /** From {@link #choose}: the request lacks what this policy needs; it is refused with 400. */
    int UNFIT = -2;

    /**
     * Chooses a rank; called only while at least one is live.
     *
     * @return a live dp_rank, or {@link #NOT_LIVE} or {@link #UNFIT}
     */
    int choose(RankView ranks, RequestInfo request);

    /**
     * What the policy weighs for one rank, for people and for the decision record: the rank with the least is chosen, or
     * {@link Double#NaN} for a policy that weighs nothing. Changes no state.
     */
    default double score(RankView ranks, RequestInfo request, int dpRank) {
        return Double.NaN;
    }

    /**
     * Reports have arrived and the view has taken them. Does nothing unless a policy keeps a plan.
     *
     * @param loads the loads of one message in their order, without those that were not newer than what was known;
     *     never empty, and every dp_rank is a slot of the view
     */
    default void onReport(RankView ranks, List<GetLoadReqOutput> loads) {}
}
