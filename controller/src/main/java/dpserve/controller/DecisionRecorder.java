package dpserve.controller;

import dpserve.controller.policy.DispatchPolicy;
import dpserve.controller.policy.RequestInfo;
import dpserve.io.message.GetLoadReqOutput;
import java.util.List;

/** Hears of every decision on the controller's thread, before the request is sent. Returns at once. */
public interface DecisionRecorder {

    /** Keeps nothing. */
    DecisionRecorder NONE = new DecisionRecorder() {
        @Override
        public void onPolicy(String method, long nowNs) {}

        @Override
        public void onReport(LoadView view, List<GetLoadReqOutput> loads, long nowNs) {}

        @Override
        public void onDecision(LoadView view, RequestInfo request, DispatchPolicy policy, int chosen, long nowNs) {}
    };

    /** A fresh policy decides from here on. */
    void onPolicy(String method, long nowNs);

    /** The policy is about to hear of these reports, which the view has taken. */
    void onReport(LoadView view, List<GetLoadReqOutput> loads, long nowNs);

    /** The policy has chosen; the view does not count the request yet. */
    void onDecision(LoadView view, RequestInfo request, DispatchPolicy policy, int chosen, long nowNs);
}
