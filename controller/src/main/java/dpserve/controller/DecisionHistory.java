package dpserve.controller;

import dpserve.controller.policy.DispatchPolicy;
import dpserve.controller.policy.RequestInfo;
import dpserve.io.message.GetLoadReqOutput;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.LongToDoubleFunction;

/**
 * The last decisions, for {@code GET /requests/{rid}}. Everything lies in arrays that are written over, so keeping them
 * makes no garbage; of more than {@link #MAX_RANKS} ranks the first are shown and the chosen one.
 *
 * <p>Up to {@link #SIZE} decisions at once and then one each {@link #NS_PER_DECISION} are kept, so that the history always reaches back
 * for a second; of more than that only a part, as evenly as they are told of. A {@link DecisionRecorder} behind it hears of all.
 */
final class DecisionHistory implements DecisionRecorder {
    /** Decisions kept. */
    static final int SIZE = 10_000;

    /** 10,000 a second: at 300,000, all of them would be gone again after 33 ms, and cost a twentieth of the controller's CPU. */
    static final long NS_PER_DECISION = 1_000_000_000L / SIZE;

    /** With so many ranks the arrays take 20 MiB; a person reads no more. */
    static final int MAX_RANKS = 64;

    /** As many as a page shows. */
    static final int NEWEST = 12;

    /**
     * Told of one user's rid: more than it has attempts, unless it is used over and over. Each has a map for each rank, made while
     * requests wait for their turn; all 10,000 would be 640,000 maps at 64 ranks, and a message of 70 MB, more than a frame may have.
     */
    static final int MOST_OF_A_RID = 100;

    private static final int FIGURES = 8;
    private static final double NS_PER_MS = 1e6;

    private final LongToDoubleFunction epochSeconds;
    private final DecisionRecorder next;
    private final TextSlots rids = new TextSlots(SIZE);
    private final String[] methods = new String[SIZE];
    private final double[] atS = new double[SIZE];
    private final int[] chosen = new int[SIZE];
    private final int[] shown = new int[SIZE];
    private float[] figures = new float[0];
    private int ranks;
    private String method;
    private long count;

    /** Time that may still be spent on decisions, each {@link #NS_PER_DECISION}. */
    private long creditNs = SIZE * NS_PER_DECISION;

    private long creditAtNs;

    /**
     * @param method name of the policy that decides now
     * @param next hears of everything too
     */
    DecisionHistory(String method, LongToDoubleFunction epochSeconds, DecisionRecorder next) {
        this.method = method;
        this.epochSeconds = epochSeconds;
        this.next = next;
    }

    @Override
    public void onPolicy(String newMethod, long nowNs) {
        method = newMethod;
        next.onPolicy(newMethod, nowNs);
    }

    @Override
    public void onReport(LoadView view, List<GetLoadReqOutput> loads, long nowNs) {
        next.onReport(view, loads, nowNs);
    }

    @Override
    public void onDecision(LoadView view, RequestInfo request, DispatchPolicy policy, int dpRank, long nowNs) {
        if (takeCredit(nowNs)) {
            keep(view, request, policy, dpRank, nowNs);
        }
        next.onDecision(view, request, policy, dpRank, nowNs);
    }

    /** Nothing has been kept before the first decision, whatever the clock shows then: the credit is full. */
    private boolean takeCredit(long nowNs) {
        if (nowNs != creditAtNs) { // what is dealt with together has one time
            // Of what is not dealt with together some may have a time before the last: it counted already.
            long passedNs = count == 0 ? 0 : Math.max(0, nowNs - creditAtNs);
            creditNs = Math.min(SIZE * NS_PER_DECISION, creditNs + passedNs);
            creditAtNs = count == 0 ? nowNs : creditAtNs + passedNs;
        }
        boolean enough = creditNs >= NS_PER_DECISION;
        creditNs -= enough ? NS_PER_DECISION : 0;
        return enough;
    }

    private void keep(LoadView view, RequestInfo request, DispatchPolicy policy, int dpRank, long nowNs) {
        int row = (int) (count++ % SIZE);
        if (request.ridSpan() == null) {
            rids.clear(row);
        } else {
            rids.set(row, request.ridSpan());
        }
        methods[row] = method;
        atS[row] = epochSeconds.applyAsDouble(nowNs);
        chosen[row] = dpRank;
        shown[row] = Math.min(view.slots(), MAX_RANKS);
        makeRoom(shown[row]);
        for (int i = 0; i < shown[row]; i++) {
            int r = i == MAX_RANKS - 1 && dpRank >= MAX_RANKS ? dpRank : i;
            int at = (row * ranks + i) * FIGURES;
            long ageNs = view.reportAgeNs(r, nowNs);
            figures[at] = view.isLive(r) ? 1 : 0;
            figures[at + 1] = view.requests(r);
            figures[at + 2] = view.tokens(r);
            figures[at + 3] = view.reportedRequests(r);
            figures[at + 4] = view.unseenRequests(r);
            figures[at + 5] = ageNs;
            figures[at + 6] = (float) policy.score(view, request, r);
            figures[at + 7] = r;
        }
    }

    /** More ranks than before: older rows lose their figures. */
    private void makeRoom(int wanted) {
        if (wanted > ranks) {
            ranks = wanted;
            figures = new float[SIZE * ranks * FIGURES];
            Arrays.fill(shown, 0);
            shown[(int) ((count - 1) % SIZE)] = wanted;
        }
    }

    /** The newest decisions about attempts of a user's rid, at most {@link #MOST_OF_A_RID}, oldest first, for the codec. */
    List<Object> of(String userRid) {
        byte[] utf8 = userRid.getBytes(StandardCharsets.UTF_8);
        List<Object> found = new ArrayList<>();
        for (long i = count - 1; i >= Math.max(0, count - SIZE) && found.size() < MOST_OF_A_RID; i--) {
            int row = (int) (i % SIZE);
            if (rids.isOfUser(row, utf8)) {
                found.add(decision(row));
            }
        }
        Collections.reverse(found);
        return found;
    }

    /** The newest decisions, newest first, for the codec. */
    List<Object> newest() {
        List<Object> found = new ArrayList<>();
        for (long i = count - 1; i >= Math.max(0, count - NEWEST); i--) {
            found.add(decision((int) (i % SIZE)));
        }
        return found;
    }

    private Map<String, Object> decision(int row) {
        Map<String, Object> d = new LinkedHashMap<>();
        d.put("rid", rids.text(row));
        d.put("at", atS[row]);
        d.put("dp_rank", (long) chosen[row]);
        d.put("load_balance_method", methods[row]);
        List<Object> all = new ArrayList<>();
        for (int i = 0; i < shown[row]; i++) {
            int at = (row * ranks + i) * FIGURES;
            Map<String, Object> rank = new LinkedHashMap<>();
            rank.put("dp_rank", (long) figures[at + 7]);
            rank.put("live", figures[at] == 1);
            rank.put("num_reqs", (long) figures[at + 1]);
            rank.put("num_tokens", (long) figures[at + 2]);
            rank.put("reported_reqs", (long) figures[at + 3]);
            rank.put("unseen_reqs", (long) figures[at + 4]);
            put(rank, "load_age_ms", figures[at + 5] < 0 ? Float.NaN : (float) (figures[at + 5] / NS_PER_MS));
            put(rank, "score", figures[at + 6]);
            all.add(rank);
        }
        d.put("ranks", all);
        return d;
    }

    private static void put(Map<String, Object> map, String name, float value) {
        if (!Float.isNaN(value)) {
            map.put(name, (double) value);
        }
    }
}
