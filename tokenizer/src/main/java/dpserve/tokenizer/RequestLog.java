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
import java.util.function.Function;

/** The last sequences that ended here, with their figures but without their text, for {@code GET /requests/{rid}}. */
public final class RequestLog {
    /** Sequences remembered: about 4 MiB. */
    public static final int SIZE = 10_000;

    /**
     * What is told of a sequence.
     *
     * @param state {@code ended}, {@code running} or {@code client left}: a zombie
     * @param finishReason null while it runs
     * @param dpRank null before its first output
     */
    private record Entry(
            String userRid,
            String state,
            FinishReason finishReason,
            int attempts,
            Integer dpRank,
            int promptTokens,
            int completionTokens,
            int cachedTokens,
            int retractions,
            Stages stages) {

        static Entry of(SequenceState s, Stages stages) {
            WireRid wireRid = WireRid.parse(s.wireRid);
            return new Entry(
                    s.spec().userRid(),
                    s.finishReason() != null ? "ended" : s.zombie ? "client left" : "running",
                    s.finishReason(),
                    wireRid == null ? 1 : wireRid.attempt() + 1,
                    s.dpRank(),
                    s.promptTokens(),
                    s.completionTokens(),
                    s.cachedTokens(),
                    s.retractions(),
                    stages);
        }

        Map<String, Object> figures() {
            Map<String, Object> f = new LinkedHashMap<>();
            f.put("state", state);
            f.put("outcome", finishReason == null ? null : finishReason.type());
            if (finishReason instanceof FinishReason.Abort abort) {
                f.put("message", abort.message());
                f.put("status", abort.statusCode() == null ? null : (long) abort.statusCode());
            }
            f.put("attempts", (long) attempts);
            f.put("dp_rank", dpRank == null ? null : (long) dpRank);
            f.put("prompt_tokens", (long) promptTokens);
            f.put("completion_tokens", (long) completionTokens);
            f.put("cached_tokens", (long) cachedTokens);
            f.put("num_retractions", (long) retractions);
            if (finishReason == null) {
                f.put("stage", Stages.NAMES.get(stages.current()));
            }
            Map<String, Object> seconds = new LinkedHashMap<>();
            for (int i = 0; i < Stages.NAMES.size(); i++) {
                seconds.put(Stages.NAMES.get(i), stages.seconds()[i]);
            }
            f.put("stages", seconds);
            return f;
        }
    }

    private final Deque<Entry> ended = new ArrayDeque<>();

    /** A sequence has ended, its stages known. */
    void ended(SequenceState state) {
        if (ended.size() == SIZE) {
            ended.poll();
        }
        ended.add(Entry.of(state, state.stages()));
    }

    /**
     * What is known of a user's rid, for the codec: first those that ended, then those that run.
     *
     * @param live all sequences that run
     * @param stages where the time of one that runs went so far
     */
    List<Object> of(String userRid, Collection<SequenceState> live, Function<SequenceState, Stages> stages) {
        List<Object> found = new ArrayList<>();
        for (Entry e : ended) {
            if (e.userRid().equals(userRid)) {
                found.add(e.figures());
            }
        }
        for (SequenceState state : live) {
            if (state.spec().userRid().equals(userRid)) {
                found.add(Entry.of(state, stages.apply(state)).figures());
            }
        }
        return found;
    }
}
