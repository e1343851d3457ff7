package dpserve.tokenizer;

import dpserve.io.WireRid;
import dpserve.io.message.FinishReason;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The last sequences that ended here, with their figures but without their text, for {@code GET /requests/{rid}}. */
public final class RequestLog {
    /** Sequences remembered: a few MiB. */
    public static final int SIZE = 10_000;

    private record Ended(String userRid, Map<String, Object> figures) {}

    private final Deque<Ended> ended = new ArrayDeque<>();

    /** A sequence has ended. */
    void ended(SequenceState state) {
        if (ended.size() == SIZE) {
            ended.poll();
        }
        ended.add(new Ended(state.spec().userRid(), figures(state)));
    }

    /**
     * What is known of a user's rid, for the codec: first those that ended, then those that run.
     *
     * @param live all sequences that run
     */
    List<Object> of(String userRid, Collection<SequenceState> live) {
        List<Object> found = new ArrayList<>();
        for (Ended e : ended) {
            if (e.userRid().equals(userRid)) {
                found.add(e.figures());
            }
        }
        for (SequenceState state : live) {
            if (state.spec().userRid().equals(userRid)) {
                found.add(figures(state));
            }
        }
        return found;
    }

    private static Map<String, Object> figures(SequenceState state) {
        Map<String, Object> f = new LinkedHashMap<>();
        FinishReason reason = state.finishReason();
        f.put("state", reason != null ? "ended" : state.zombie ? "client left" : "running");
        f.put("outcome", reason == null ? null : reason.type());
        if (reason instanceof FinishReason.Abort abort) {
            f.put("message", abort.message());
            f.put("status", abort.statusCode() == null ? null : (long) abort.statusCode());
        }
        WireRid wireRid = WireRid.parse(state.wireRid);
        f.put("attempts", wireRid == null ? 1L : wireRid.attempt() + 1L);
        f.put("dp_rank", state.dpRank() == null ? null : (long) state.dpRank());
        f.put("prompt_tokens", (long) state.promptTokens());
        f.put("completion_tokens", (long) state.completionTokens());
        f.put("cached_tokens", (long) state.cachedTokens());
        f.put("num_retractions", (long) state.retractions());
        if (state.stages() != null) {
            Map<String, Object> stages = new LinkedHashMap<>();
            for (int i = 0; i < Stages.NAMES.size(); i++) {
                stages.put(Stages.NAMES.get(i), state.stages().seconds()[i]);
            }
            f.put("stages", stages);
        }
        return f;
    }
}
