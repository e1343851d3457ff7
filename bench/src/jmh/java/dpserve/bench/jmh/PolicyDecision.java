package dpserve.bench.jmh;

import dpserve.controller.LoadView;
import dpserve.controller.RidMap;
import dpserve.controller.policy.DispatchPolicy;
import dpserve.controller.policy.Policies;
import dpserve.controller.policy.RequestInfo;
import dpserve.io.WireRid;
import dpserve.io.message.GetLoadReqOutput;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;

/**
 * The production policies over the production load view, 25 requests in flight on each rank. Every so many decisions as there
 * are ranks, each rank has reported once more: what a policy makes of that is part of its cost.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
public class PolicyDecision {
    private static final int IN_FLIGHT_PER_RANK = 25;
    private static final int MOST_PROMPT_TOKENS = 4096;
    private static final int BLOCKS = 8;
    private static final int PREFIXES = 512;
    private static final long INCARNATION = 1;
    private static final int WORKER = 0;
    private static final double WINDOW_S = 0.0001;

    /** Set by {@link BenchPolicies}. */
    @Param("")
    public String method;

    @Param("0")
    public int ranks;

    private final RidMap rids = new RidMap();
    private LoadView view;
    private DispatchPolicy policy;
    private RequestInfo[] requests;
    private List<GetLoadReqOutput> round;
    private int next;
    private int untilReport;

    @Setup
    public void fill() {
        Random random = new Random(1);
        view = new LoadView(rids, ranks);
        policy = Policies.create(method, new Policies.Settings(1, 1));
        round = new ArrayList<>();
        for (int r = 0; r < ranks; r++) {
            view.register(r, INCARNATION, 0, 0);
            view.setLive(r, true);
        }
        requests = new RequestInfo[ranks * IN_FLIGHT_PER_RANK];
        for (int i = 0; i < requests.length; i++) {
            long[] prefixes = new long[BLOCKS];
            Random session = new Random(random.nextInt(PREFIXES));
            for (int b = 0; b < BLOCKS; b++) {
                prefixes[b] = session.nextLong();
            }
            String rid = new WireRid("request-" + i, 1_700_000_000_000L, i, 0).toString();
            int tokens = 1 + random.nextInt(MOST_PROMPT_TOKENS);
            requests[i] = new RequestInfo(rid, null, tokens, RequestInfo.NO_RANK, i, null, prefixes, true);
            begin(requests[i], random.nextInt(ranks));
        }
        for (int r = 0; r < ranks; r++) {
            int held = (int) rids.requests(r);
            GetLoadReqOutput load = GetLoadReqOutput.legacy(
                    r, held, random.nextInt(held + 1), (int) rids.tokens(r) + held, WINDOW_S * random.nextDouble());
            view.report(load, 0);
            round.add(load);
        }
        policy.onReport(view, round);
    }

    private void begin(RequestInfo request, int rank) {
        rids.begin(request.rid(), WORKER, rank, INCARNATION, request.promptTokens());
        view.dispatched(rank, request.promptTokens());
    }

    private RequestInfo nextRequest() {
        next = next + 1 == requests.length ? 0 : next + 1;
        if (--untilReport <= 0) {
            untilReport = ranks;
            policy.onReport(view, round);
        }
        return requests[next];
    }

    /** The decision alone. */
    @Benchmark
    public int choose() {
        return policy.choose(view, nextRequest());
    }

    /** The decision and what the controller's accounts make of it: the oldest attempt ends, this one begins. */
    @Benchmark
    public int chooseAndCount() {
        RequestInfo request = nextRequest();
        rids.end(request.rid());
        int rank = policy.choose(view, request);
        begin(request, rank);
        return rank;
    }
}
