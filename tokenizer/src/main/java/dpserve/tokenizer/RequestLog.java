package dpserve.tokenizer;

import dpserve.io.WireRid;
import dpserve.io.message.FinishReason;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.Comparator;
import java.util.Deque;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/** The last sequences that ended here, with their figures but without their text, for {@code GET /requests/{rid}}. */
public final class RequestLog {
    /** Sequences remembered: about 4 MiB. */
    public static final int SIZE = 10_000;

    /** Sequences told of one rid: a client may use one for everything, and all would be megabytes made on the event loop. */
    static final int MOST_OF_A_RID = 100;

    /**
     * What is known of a rid.
     *
     * @param sequences for the codec: first those that ended, then those that run, each in their order
     * @param truncated whether there are older ones too
     */
    public record Found(List<Object> sequences, boolean truncated) {
        static final Found NOTHING = new Found(List.of(), false);
    }

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
     * What is known of a user's rid: the newest {@link #MOST_OF_A_RID} sequences.
     *
     * @param live all sequences that run
     * @param stages where the time of one that runs went so far
     */
    Found of(String userRid, Collection<SequenceState> live, Function<SequenceState, Stages> stages) {
        List<SequenceState> running = new ArrayList<>();
        for (SequenceState state : live) {
            if (state.spec().userRid().equals(userRid)) {
                running.add(state);
            }
        }
        running.sort(Comparator.comparingLong(SequenceState::createdNs).reversed());
        List<Object> newestFirst = new ArrayList<>();
        for (SequenceState state : running.subList(0, Math.min(MOST_OF_A_RID, running.size()))) {
            newestFirst.add(Entry.of(state, stages.apply(state)).figures());
        }
        boolean truncated = running.size() > MOST_OF_A_RID;
        for (Iterator<Entry> newest = ended.descendingIterator(); newest.hasNext() && !truncated; ) {
            Entry e = newest.next();
            if (e.userRid().equals(userRid)) {
                if (newestFirst.size() == MOST_OF_A_RID) {
                    truncated = true;
                } else {
                    newestFirst.add(e.figures());
                }
            }
        }
        Collections.reverse(newestFirst);
        return new Found(newestFirst, truncated);
    }
}
