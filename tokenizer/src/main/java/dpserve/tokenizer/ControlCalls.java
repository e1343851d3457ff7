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
import java.util.function.Supplier;

/**
 * Control calls: one question to many processes, the answers merged, with a time limit. One call of a kind is in flight
 * at a time, because SGLang's answers do not say which call they belong to; further ones wait their turn, which counts as
 * their time: so no more wait than come within one limit.
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

    /**
     * What a call asks.
     *
     * @param awaited who is expected to answer, looked up when it is sent
     * @param send sends it, given the call's name
     */
    public record Question(Supplier<Set<String>> awaited, Consumer<String> send) {}

    private record Call(Question question, long deadlineNs, Consumer<Result> whenDone) {
        boolean isOver(long nowNs) {
            return nowNs - deadlineNs >= 0;
        }

        /** Its turn did not come in time. */
        void endUnasked() {
            whenDone.accept(
                    new Result(Map.of(), new ArrayList<>(question.awaited().get())));
        }
    }

    private static final class InFlight {
        private final Call call;
        private final String rid;
        private final Set<String> awaited;
        private final Map<String, Message> answers = new LinkedHashMap<>();

        InFlight(Call call, String rid) {
            this.call = call;
            this.rid = rid;
            this.awaited = new LinkedHashSet<>(call.question().awaited().get());
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

    /**
     * Asks, now or when the calls of this kind before it are done.
     *
     * @param timeoutNs from now to the end, whether its turn has come or not
     */
    public void call(Kind kind, Question question, long timeoutNs, Consumer<Result> whenDone, long nowNs) {
        waiting.computeIfAbsent(kind, k -> new ArrayDeque<>()).add(new Call(question, nowNs + timeoutNs, whenDone));
        startNext(kind, nowNs);
    }

    private void startNext(Kind kind, long nowNs) {
        Deque<Call> queue = waiting.get(kind);
        while (!inFlight.containsKey(kind) && queue != null && !queue.isEmpty()) {
            Call call = queue.poll();
            if (call.isOver(nowNs)) {
                call.endUnasked();
                continue;
            }
            InFlight started = new InFlight(call, "call-" + incarnation + "-" + nextNumber++);
            inFlight.put(kind, started);
            call.question().send().accept(started.rid);
            if (started.awaited.isEmpty()) {
                end(kind, started);
            }
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
        if (call.awaited.isEmpty()) {
            end(kind, call);
            startNext(kind, nowNs);
        }
        return true;
    }

    private void end(Kind kind, InFlight call) {
        inFlight.remove(kind);
        call.call.whenDone().accept(new Result(call.answers, new ArrayList<>(call.awaited)));
    }

    /** Ends calls whose time is over, also those whose turn has not come. */
    public void tick(long nowNs) {
        for (Kind kind : Kind.values()) {
            InFlight call = inFlight.get(kind);
            if (call != null && call.call.isOver(nowNs)) {
                end(kind, call);
                startNext(kind, nowNs);
            }
            endWaiting(kind, nowNs);
        }
    }

    private void endWaiting(Kind kind, long nowNs) {
        Deque<Call> queue = waiting.get(kind);
        if (queue != null && !queue.isEmpty()) {
            List<Call> over = new ArrayList<>();
            queue.removeIf(call -> call.isOver(nowNs) && over.add(call));
            over.forEach(Call::endUnasked);
        }
    }

    /** Calls in flight or waiting. */
    public int size() {
        return inFlight.size() + waiting.values().stream().mapToInt(Deque::size).sum();
    }
}
