package dpserve.scheduler;

import dpserve.io.message.Message;
import dpserve.io.message.TokenizedGenerateReqInput;
import dpserve.io.model.NextToken;
import java.util.Map;

/** Of a rank that prefills and decodes: new and retracted requests wait in the one queue there is. */
final class NoHandoff implements Handoff {
    private final PrefillManager prefill;

    NoHandoff(PrefillManager prefill) {
        this.prefill = prefill;
    }

    @Override
    public String refuse(TokenizedGenerateReqInput in) {
        return null;
    }

    @Override
    public void arrive(Request r, long nowNs) {
        prefill.waiting().add(r);
    }

    @Override
    public boolean onMessage(Message message, long nowNs) {
        return false;
    }

    @Override
    public void advance(long nowNs) {}

    @Override
    public long nextDueNs() {
        return NEVER;
    }

    @Override
    public boolean remove(Request r) {
        return false;
    }

    @Override
    public void onRetracted(Request r) {
        prefill.waiting().add(r);
    }

    @Override
    public boolean onPrefilled(Request r, int token, NextToken logprob, long nowNs) {
        return false;
    }

    @Override
    public void clear() {}

    @Override
    public int slotsHeld() {
        return 0;
    }

    @Override
    public String logPart() {
        return "";
    }

    @Override
    public void tables(Map<String, Object> tables) {}
}
