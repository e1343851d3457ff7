package dpserve.controller;

import dpserve.controller.policy.DispatchPolicy;
import dpserve.io.LoadReport;
import dpserve.io.message.LoadBalanceState;
import dpserve.io.message.SetLoadBalance;
import java.util.function.Consumer;
import java.util.function.Function;

/**
 * How requests are balanced now: policy, path of the loads and their injected delay. It can change between two requests;
 * counts and reports stay with the load view, so a new policy begins with all that is known.
 */
public final class LoadBalance {

    /** A day: longer would be no delay but a loss. */
    public static final double MAX_DELAY_MS = 86_400_000;

    /**
     * The three together.
     *
     * @param method name of the policy
     * @param delayMs milliseconds of modelled time
     */
    public record Setting(String method, LoadReport report, double delayMs) {}

    private final Function<String, DispatchPolicy> maker;
    private final Consumer<Setting> onChange;
    private final Setting initial;
    private Setting setting;
    private DispatchPolicy policy;
    private DecisionRecorder recorder = DecisionRecorder.NONE;

    /**
     * @param maker a fresh policy by its name; throws IllegalArgumentException for a name it does not know
     * @param onChange hears of each change after it, on the controller's thread
     */
    public LoadBalance(Setting initial, Function<String, DispatchPolicy> maker, Consumer<Setting> onChange) {
        this.maker = maker;
        this.onChange = onChange;
        this.initial = initial;
        this.setting = initial;
        this.policy = maker.apply(initial.method());
    }

    /** A policy that stays. */
    public static LoadBalance of(DispatchPolicy policy) {
        Setting given = new Setting("given", LoadReport.PIGGYBACK, 0);
        return new LoadBalance(given, method -> policy, changed -> {});
    }

    /** Every decision from now on goes to the recorder too. */
    public void recordTo(DecisionRecorder newRecorder, long nowNs) {
        recorder = newRecorder;
        recorder.onPolicy(setting.method(), nowNs);
    }

    /** The recorder that hears of decisions from now on; it goes on where the one before was. */
    void replaceRecorder(DecisionRecorder successor) {
        recorder = successor;
    }

    DecisionRecorder recorder() {
        return recorder;
    }

    DispatchPolicy policy() {
        return policy;
    }

    Setting setting() {
        return setting;
    }

    /** Whether peers cannot know it from the flags they were started with. */
    boolean differsFromStart() {
        return setting != initial
                && !setting.equals(initial); // a record's first equals costs a start some milliseconds
    }

    /**
     * Changes what the call names, all of it or nothing.
     *
     * @throws IllegalArgumentException naming the field that is wrong and what it may be
     */
    void change(SetLoadBalance call, long nowNs) {
        double delayMs = call.delayMs() == null ? setting.delayMs() : call.delayMs();
        if (!(delayMs >= 0 && delayMs <= MAX_DELAY_MS)) {
            throw new IllegalArgumentException("delay_ms must be 0 to " + (long) MAX_DELAY_MS);
        }
        LoadReport report = call.report() == null ? setting.report() : LoadReport.of(call.report());
        boolean another = call.method() != null && !call.method().equals(setting.method());
        DispatchPolicy chosen = another ? maker.apply(call.method()) : policy;
        Setting changed = new Setting(another ? call.method() : setting.method(), report, delayMs);
        if (!changed.equals(setting)) {
            setting = changed;
            policy = chosen;
            if (another) {
                recorder.onPolicy(setting.method(), nowNs);
            }
            onChange.accept(changed);
        }
    }

    /** The state as a message; rid and http_worker_ipc of the call it answers, or null. */
    LoadBalanceState state(String rid, String httpWorkerIpc, String error) {
        return new LoadBalanceState(
                rid, httpWorkerIpc, error, setting.method(), setting.report().wireName(), setting.delayMs());
    }
}
