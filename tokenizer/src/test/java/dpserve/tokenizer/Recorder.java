package dpserve.tokenizer;

import dpserve.io.message.Message;
import java.util.ArrayList;
import java.util.List;

/** Keeps what a manager says, in order, together with what its listeners hear. */
final class Recorder implements ManagerOutput, ManagerCounters {
    final List<Object> events = new ArrayList<>();
    final List<SequenceState> ended = new ArrayList<>();
    boolean reachable = true;
    boolean controllerHere = true;
    int unknownRids;
    int gaps;
    int resumed;

    @Override
    public boolean toController(Message message) {
        boolean taken = reachable && controllerHere;
        if (taken) {
            events.add(message);
        }
        return taken;
    }

    @Override
    public boolean hasController() {
        return controllerHere;
    }

    @Override
    public void toDetokenizers(Message message) {
        events.add(message);
    }

    /** A listener whose calls are recorded as {@code heard:<user rid>:<text>}, with the finish type once it has ended. */
    SequenceListener listener() {
        return (state, text) -> events.add("heard:" + state.spec().userRid() + ":" + text
                + (state.finishReason() == null
                        ? ""
                        : ":" + state.finishReason().type()));
    }

    <T> List<T> sent(Class<T> type) {
        return events.stream().filter(type::isInstance).map(type::cast).toList();
    }

    List<String> heard() {
        return sent(String.class);
    }

    @Override
    public void accepted(SequenceSpec spec) {
        // Nothing is counted here before the end.
    }

    @Override
    public void tokens(SequenceState state, int newTokens, long nowNs) {
        // Times are those of WorkerMetricsTest.
    }

    @Override
    public void ended(SequenceState state, long nowNs) {
        ended.add(state);
    }

    @Override
    public void unknownRid() {
        unknownRids++;
    }

    @Override
    public void gap() {
        gaps++;
    }

    @Override
    public void resumed() {
        resumed++;
    }
}
