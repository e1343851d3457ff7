package dpserve.tokenizer;

import dpserve.io.message.Message;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;

/**
 * Control calls: one question to many processes, the answers merged, with a time limit. One call of a kind is in flight
 * at a time, because SGLang's answers do not say which call they belong to; further ones wait their turn.
 */
public final class ControlCalls {
    /** The kinds of question. */
    public enum Kind {
        LOAD,
        FLUSH_CACHE,
        INTERNAL_STATE,
        LOAD_BALANCE,
        RANK,
        REQUEST
    }

    /** Who answered, if it was one of SGLang's schedulers: they do not say which. */
    static final String SOME_RANK = "rank";

    /**
     * How a call ended.
     *
     * @param answers by who answered, such as {@code rank 2}
     * @param missing who did not answer in time
     */
    public record Result(Map<String, Message> answers, List<String> missing) {}

    /** Sends a call's question; given the call's name. */
    public interface Question {
        /** Who is expected to answer. */
        Set<String> send(String callRid);
    }

    private record Call(Question question, long timeoutNs, Consumer<Result> whenDone) {}

    private static final class InFlight {
        private final Call call;
        private final String rid;
        private final long deadlineNs;
        private final Set<String> awaited;
        private final Map<String, Message> answers = new LinkedHashMap<>();

        InFlight(Call call, String rid, long deadlineNs, Set<String> awaited) {
            this.call = call;
            this.rid = rid;
            this.deadlineNs = deadlineNs;
            this.awaited = new LinkedHashSet<>(awaited);
        }

        private String anyRank() {
            return awaited.stream()
                    .filter(name -> name.startsWith(SOME_RANK))
                    .findFirst()
                    .orElse(SOME_RANK);
        }
    }

    private final Map<Kind, Deque<Call>> waiting = new HashMap<>();
    private final Map<Kind, InFlight> inFlight = new HashMap<>();
    private final long incarnation;
    private long nextNumber;

    /** @param incarnation makes the names of this worker's calls its own */
    public ControlCalls(long incarnation) {
        this.incarnation = incarnation;
    }

    /** Asks, now or when the calls of this kind before it are done. */
    public void call(Kind kind, Question question, long timeoutNs, Consumer<Result> whenDone, long nowNs) {
        waiting.computeIfAbsent(kind, k -> new ArrayDeque<>()).add(new Call(question, timeoutNs, whenDone));
        startNext(kind, nowNs);
    }

    private void startNext(Kind kind, long nowNs) {
        Deque<Call> queue = waiting.get(kind);
        while (!inFlight.containsKey(kind) && queue != null && !queue.isEmpty()) {
            Call call = queue.poll();
            String rid = "call-" + incarnation + "-" + nextNumber++;
            InFlight started = new InFlight(
                    call, rid, nowNs + call.timeoutNs(), call.question().send(rid));
            inFlight.put(kind, started);
            finishIfDone(kind, started, nowNs);
        }
    }

    /**
     * An answer came.
     *
     * @param callRid the call's name, or null from SGLang, which does not copy it
     * @return false if nobody waits for it
     */
    public boolean answer(Kind kind, String callRid, String from, Message message, long nowNs) {
        InFlight call = inFlight.get(kind);
        if (call == null || callRid != null && !callRid.equals(call.rid)) {
            return false;
        }
        String name = SOME_RANK.equals(from) ? call.anyRank() : from;
        if (!call.awaited.remove(name)) {
            return false;
        }
        call.answers.put(name, message);
        finishIfDone(kind, call, nowNs);
        return true;
    }

    private void finishIfDone(Kind kind, InFlight call, long nowNs) {
        if (call.awaited.isEmpty()) {
            finish(kind, call, nowNs);
        }
    }

    private void finish(Kind kind, InFlight call, long nowNs) {
        inFlight.remove(kind);
        call.call.whenDone().accept(new Result(call.answers, new ArrayList<>(call.awaited)));
        startNext(kind, nowNs);
    }

    /** Ends calls whose time is over. */
    public void tick(long nowNs) {
        for (Kind kind : Kind.values()) {
            InFlight call = inFlight.get(kind);
            if (call != null && nowNs - call.deadlineNs >= 0) {
                finish(kind, call, nowNs);
            }
        }
    }

    /** Calls in flight or waiting. */
    public int size() {
        return inFlight.size() + waiting.values().stream().mapToInt(Deque::size).sum();
    }
}
