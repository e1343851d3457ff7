package dpserve.tokenizer;

import dpserve.io.message.DrainRank;
import dpserve.io.message.FlushCacheReqInput;
import dpserve.io.message.FlushCacheReqOutput;
import dpserve.io.message.GetInternalStateReq;
import dpserve.io.message.GetInternalStateReqOutput;
import dpserve.io.message.GetLoadReqInput;
import dpserve.io.message.GetLoadReqOutput;
import dpserve.io.message.GetRequestReq;
import dpserve.io.message.GetRequestReqOutput;
import dpserve.io.message.LoadBalanceState;
import dpserve.io.message.Message;
import dpserve.io.message.RankStatus;
import dpserve.io.message.Role;
import dpserve.io.message.SetLoadBalance;
import dpserve.tokenizer.ControlCalls.Kind;
import dpserve.tokenizer.ControlCalls.Question;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.Supplier;

/** The control calls of a tokenizer worker: loads, cache flush and internal states of all processes. */
public final class Control {
    private static final String SEQUENCES = "sequences";
    private static final String TRUNCATED = "truncated";

    private final Worker worker;
    private final RankStates ranks;
    private final ManagerOutput output;
    private final ControlCalls calls;
    private final Supplier<Map<String, Object>> ownState;

    /**
     * Which worker of which topology this is.
     *
     * @param pull its PULL endpoint
     * @param controllers 0 if the controller is SGLang's, which tells nothing of itself
     * @param detokenizers how many tell of themselves: 0 if they are SGLang's
     */
    public record Worker(int index, String pull, int controllers, int tokenizers, int detokenizers) {}

    /** @param ownState this process's internal state */
    public Control(
            Worker worker,
            RankStates ranks,
            ManagerOutput output,
            ControlCalls calls,
            Supplier<Map<String, Object>> ownState) {
        this.worker = worker;
        this.ranks = ranks;
        this.output = output;
        this.calls = calls;
        this.ownState = ownState;
    }

    /** The loads of the ranks that answered, and who did not. */
    public record Loads(List<GetLoadReqOutput> loads, List<String> missing) {}

    /** Asks every live rank for its load. */
    public void loads(long timeoutNs, Consumer<Loads> whenDone, long nowNs) {
        calls.call(
                Kind.LOAD,
                new Question(
                        () -> names(ranks.registered()),
                        rid -> output.toController(new GetLoadReqInput(rid, worker.pull()))),
                timeoutNs,
                result -> whenDone.accept(new Loads(sorted(result), result.missing())),
                nowNs);
    }

    private static List<GetLoadReqOutput> sorted(ControlCalls.Result result) {
        List<GetLoadReqOutput> loads = new ArrayList<>();
        for (Message answer : result.answers().values()) {
            loads.add((GetLoadReqOutput) answer);
        }
        loads.sort((a, b) -> Integer.compare(a.dpRank(), b.dpRank()));
        return loads;
    }

    /** Asks every live rank to empty its prefix cache. */
    public void flushCache(Double timeoutS, long timeoutNs, Consumer<ControlCalls.Result> whenDone, long nowNs) {
        calls.call(
                Kind.FLUSH_CACHE,
                new Question(
                        () -> names(ranks.live()),
                        rid -> output.toController(new FlushCacheReqInput(rid, worker.pull(), timeoutS))),
                timeoutNs,
                whenDone,
                nowNs);
    }

    /** The internal states of all processes that answered, this one first, and who did not. */
    public record States(List<Map<String, Object>> states, List<String> missing) {}

    /** Asks every process for its internal state. */
    public void states(long timeoutNs, Consumer<States> whenDone, long nowNs) {
        calls.call(
                Kind.INTERNAL_STATE,
                new Question(this::everyoneElse, rid -> {
                    GetInternalStateReq question = new GetInternalStateReq(rid, worker.pull());
                    output.toController(question);
                    output.toDetokenizers(question);
                }),
                timeoutNs,
                result -> {
                    List<Map<String, Object>> states = new ArrayList<>();
                    states.add(ownState.get());
                    for (Message answer : result.answers().values()) {
                        states.add(((GetInternalStateReqOutput) answer).internalState());
                    }
                    whenDone.accept(new States(states, result.missing()));
                },
                nowNs);
    }

    /**
     * Asks the controller to balance in another way; null stays as it is.
     *
     * @param whenDone gets its answer, or null if there was none
     */
    public void loadBalance(
            String method,
            String report,
            Double delayMs,
            long timeoutNs,
            Consumer<LoadBalanceState> whenDone,
            long nowNs) {
        calls.call(
                Kind.LOAD_BALANCE,
                new Question(
                        Control::controller,
                        rid -> output.toController(new SetLoadBalance(rid, worker.pull(), method, report, delayMs))),
                timeoutNs,
                result -> whenDone.accept((LoadBalanceState) result.answers().get(Role.CONTROLLER.wireName())),
                nowNs);
    }

    /**
     * Asks the controller to change a rank.
     *
     * @param action as in {@link DrainRank}
     * @param whenDone gets its answer, or null if there was none
     */
    public void changeRank(int dpRank, String action, long timeoutNs, Consumer<RankStatus> whenDone, long nowNs) {
        calls.call(
                Kind.RANK,
                new Question(
                        Control::controller,
                        rid -> output.toController(new DrainRank(rid, worker.pull(), dpRank, action))),
                timeoutNs,
                result -> whenDone.accept((RankStatus) result.answers().get(Role.CONTROLLER.wireName())),
                nowNs);
    }

    /**
     * What all workers know of a user's rid, what the controller decided, and who did not answer.
     *
     * @param truncated whether somebody knows of older ones too
     */
    public record Found(List<Object> sequences, List<Object> decisions, boolean truncated, List<String> missing) {}

    /**
     * Asks the controller and the other workers.
     *
     * @param own what this worker knows
     */
    public void find(String userRid, RequestLog.Found own, long timeoutNs, Consumer<Found> whenDone, long nowNs) {
        calls.call(
                Kind.REQUEST,
                new Question(this::whoKnowsRequests, rid -> {
                    if (worker.controllers() > 0) {
                        output.toController(new GetRequestReq(rid, worker.pull(), userRid));
                    }
                }),
                timeoutNs,
                result -> {
                    List<Object> sequences = new ArrayList<>(own.sequences());
                    List<Object> decisions = new ArrayList<>();
                    boolean truncated = own.truncated();
                    for (Message answer : result.answers().values()) {
                        Map<String, Object> found = ((GetRequestReqOutput) answer).found();
                        addAll(found.get(SEQUENCES), sequences);
                        addAll(found.get("decisions"), decisions);
                        truncated |= Boolean.TRUE.equals(found.get(TRUNCATED));
                    }
                    whenDone.accept(new Found(sequences, decisions, truncated, result.missing()));
                },
                nowNs);
    }

    /** As {@link #find}, for the controller's newest decisions whatever their requests. */
    public void recentDecisions(long timeoutNs, Consumer<Found> whenDone, long nowNs) {
        find(GetRequestReq.NEWEST, RequestLog.Found.NOTHING, timeoutNs, whenDone, nowNs);
    }

    private static void addAll(Object list, List<Object> to) {
        if (list instanceof List<?> values) {
            to.addAll(values);
        }
    }

    /**
     * Another worker asks what is known of a user's rid.
     *
     * @param own what this worker knows
     */
    public void onRequestQuestion(GetRequestReq question, RequestLog.Found own) {
        output.toController(new GetRequestReqOutput(
                question.rid(),
                question.httpWorkerIpc(),
                workerName(worker.index()),
                Map.of(SEQUENCES, own.sequences(), TRUNCATED, own.truncated())));
    }

    private static String workerName(int index) {
        return Role.TOKENIZER.wireName() + " " + index;
    }

    private static Set<String> controller() {
        return Set.of(Role.CONTROLLER.wireName());
    }

    private Set<String> whoKnowsRequests() {
        if (worker.controllers() == 0) {
            return Set.of(); // and no way to the other workers
        }
        Set<String> awaited = otherWorkers();
        awaited.add(Role.CONTROLLER.wireName());
        return awaited;
    }

    private Set<String> otherWorkers() {
        Set<String> names = new LinkedHashSet<>();
        for (int i = 0; i < worker.tokenizers(); i++) {
            if (i != worker.index()) {
                names.add(workerName(i));
            }
        }
        return names;
    }

    private static Set<String> names(List<Integer> ranks) {
        Set<String> names = new LinkedHashSet<>();
        ranks.forEach(rank -> names.add(rankName(rank)));
        return names;
    }

    private Set<String> everyoneElse() {
        Set<String> names = new LinkedHashSet<>();
        if (worker.controllers() > 0) {
            names.add(Role.CONTROLLER.wireName());
        }
        names.addAll(otherWorkers());
        for (int j = 0; j < worker.detokenizers(); j++) {
            names.add(Role.DETOKENIZER.wireName() + " " + j);
        }
        names.addAll(names(ranks.live()));
        return names;
    }

    private static String rankName(int rank) {
        return "rank " + rank;
    }

    /** Another worker asks for this process's state: the answer goes through the controller. */
    public void onStateQuestion(GetInternalStateReq question) {
        output.toController(new GetInternalStateReqOutput(question.rid(), question.httpWorkerIpc(), ownState.get()));
    }

    /**
     * An answer came.
     *
     * @return false if nobody waits for it
     */
    public boolean onAnswer(Message answer, long nowNs) {
        if (answer instanceof GetLoadReqOutput load) {
            return calls.answer(Kind.LOAD, load.rid(), rankName(load.dpRank()), load, nowNs);
        }
        if (answer instanceof FlushCacheReqOutput flushed) {
            String from = flushed.dpRank() == null ? ControlCalls.SOME_RANK : rankName(flushed.dpRank());
            return calls.answer(Kind.FLUSH_CACHE, flushed.rid(), from, flushed, nowNs);
        }
        if (answer instanceof GetRequestReqOutput found) {
            return calls.answer(Kind.REQUEST, found.rid(), found.from(), found, nowNs);
        }
        if (answer instanceof LoadBalanceState state) {
            return calls.answer(Kind.LOAD_BALANCE, state.rid(), Role.CONTROLLER.wireName(), state, nowNs);
        }
        if (answer instanceof RankStatus status) {
            return calls.answer(Kind.RANK, status.rid(), Role.CONTROLLER.wireName(), status, nowNs);
        }
        if (answer instanceof GetInternalStateReqOutput state) {
            return calls.answer(Kind.INTERNAL_STATE, state.rid(), nameOf(state.internalState()), state, nowNs);
        }
        return false;
    }

    private static String nameOf(Map<String, Object> state) {
        Object role = state.get("role");
        if (role == null) {
            return ControlCalls.SOME_RANK;
        }
        if (Role.CONTROLLER.wireName().equals(role)) {
            return Role.CONTROLLER.wireName();
        }
        String name = Role.SCHEDULER.wireName().equals(role) ? "rank" : String.valueOf(role);
        return name + " " + state.get("index");
    }

    /** Calls in flight or waiting. */
    public int size() {
        return calls.size();
    }
}
