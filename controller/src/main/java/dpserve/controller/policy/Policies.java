package dpserve.controller.policy;

import java.util.Collections;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Function;

/** The policies by their {@code --load-balance-method} names. A new policy is one class and one line here. */
public final class Policies {

    /** SGLang's default method, which means round_robin except on a PD prefill server. */
    public static final String DEFAULT_METHOD = "auto";

    /** What {@code auto} is on a prefill server. */
    public static final String FOLLOW_BOOTSTRAP_ROOM = "follow_bootstrap_room";

    /** Variable of PR #11469: every how many complete rounds of reports shortest_queue makes a plan. */
    public static final String BUDGET_INTERVAL = "SGLANG_DATA_PARALLEL_BUDGET_INTERVAL";

    /** Upstream's default: each complete round. */
    public static final int DEFAULT_BUDGET_INTERVAL = 1;

    /** SGLang's benchmark uses it too; any fixed number would do, so that a run can be repeated. */
    public static final long DEFAULT_SEED = 42;

    private static final String LEAST_WORK = "least_work";
    private static final String PREFIX_AFFINITY = "prefix_affinity";

    /**
     * What policies may depend on.
     *
     * @param timeScale factor on every period, 0 or more
     * @param budgetInterval value of {@link #BUDGET_INTERVAL}, at least 1
     * @param seed of the policies that draw
     */
    public record Settings(double timeScale, int budgetInterval, long seed) {

        /** With {@link #DEFAULT_SEED}. */
        public Settings(double timeScale, int budgetInterval) {
            this(timeScale, budgetInterval, DEFAULT_SEED);
        }
    }

    private static final Map<String, Function<Settings, DispatchPolicy>> BY_NAME = byName();

    private Policies() {}

    private static Map<String, Function<Settings, DispatchPolicy>> byName() {
        Map<String, Function<Settings, DispatchPolicy>> m = new TreeMap<>();
        m.put(DEFAULT_METHOD, s -> new RoundRobin());
        m.put("round_robin", s -> new RoundRobin());
        m.put("shortest_queue", s -> ShortestQueue.scaled(s.timeScale(), s.budgetInterval()));
        m.put(FOLLOW_BOOTSTRAP_ROOM, s -> new FollowBootstrapRoom());
        m.put("total_requests", s -> new TotalRequests());
        m.put("total_tokens", s -> new TotalTokens());
        m.put("vllm", s -> new WaitingFirst());
        m.put("random", s -> new RandomChoice(s.seed()));
        m.put("power_of_two", s -> new PowerOfTwo(s.seed()));
        m.put("join_idle_queue", s -> new JoinIdleQueue(s.seed()));
        m.put("least_requests", s -> new LeastRequests());
        m.put("least_tokens", s -> new LeastTokens());
        m.put(LEAST_WORK, s -> new LeastWork());
        m.put("lmetric", s -> new LMetric());
        m.put(PREFIX_AFFINITY, s -> new PrefixAffinity());
        return Collections.unmodifiableMap(m);
    }

    /** All names, in alphabetical order. */
    public static Set<String> names() {
        return BY_NAME.keySet();
    }

    /** Whether a method uses {@link RequestInfo#prefixHashes}, which cost a pass over each prompt. */
    public static boolean wantsPrefixHashes(String method) {
        return PREFIX_AFFINITY.equals(method) || LEAST_WORK.equals(method);
    }

    /**
     * A fresh policy.
     *
     * @throws IllegalArgumentException naming the valid methods
     */
    public static DispatchPolicy create(String method, Settings settings) {
        Function<Settings, DispatchPolicy> maker = BY_NAME.get(method);
        if (maker == null) {
            throw new IllegalArgumentException("load_balance_method (--load-balance-method): unknown value; valid are "
                    + String.join(", ", names()));
        }
        return maker.apply(settings);
    }
}
