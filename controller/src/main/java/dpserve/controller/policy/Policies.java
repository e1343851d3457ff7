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

    /** Variable of PR #11469: every how many complete rounds of reports shortest_queue makes a plan. */
    public static final String BUDGET_INTERVAL = "SGLANG_DATA_PARALLEL_BUDGET_INTERVAL";

    /** Upstream's default: each complete round. */
    public static final int DEFAULT_BUDGET_INTERVAL = 1;

    /**
     * What policies may depend on.
     *
     * @param timeScale factor on every period, 0 or more
     * @param budgetInterval value of {@link #BUDGET_INTERVAL}, at least 1
     */
    public record Settings(double timeScale, int budgetInterval) {}

    private static final Map<String, Function<Settings, DispatchPolicy>> BY_NAME = byName();

    private Policies() {}

    private static Map<String, Function<Settings, DispatchPolicy>> byName() {
        Map<String, Function<Settings, DispatchPolicy>> m = new TreeMap<>();
        m.put(DEFAULT_METHOD, s -> new RoundRobin());
        m.put("round_robin", s -> new RoundRobin());
        m.put("shortest_queue", s -> ShortestQueue.scaled(s.timeScale(), s.budgetInterval()));
        m.put("follow_bootstrap_room", s -> new FollowBootstrapRoom());
        return Collections.unmodifiableMap(m);
    }

    /** All names, in alphabetical order. */
    public static Set<String> names() {
        return BY_NAME.keySet();
    }

    /**
     * A fresh policy.
     *
     * @throws IllegalArgumentException naming the valid methods
     */
    public static DispatchPolicy create(String method, Settings settings) {
        Function<Settings, DispatchPolicy> maker = BY_NAME.get(method);
        if (maker == null) {
            throw new IllegalArgumentException(
                    "--load-balance-method: unknown value; valid are " + String.join(", ", names()));
        }
        return maker.apply(settings);
    }
}
