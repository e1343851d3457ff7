package dpserve.controller.decision;

import dpserve.controller.policy.DispatchPolicy;
import dpserve.controller.policy.Policies;
import dpserve.controller.policy.RankSnapshot;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.msgpack.core.MessageUnpacker;

/**
 * Decides again what a decision record holds, with the recorded policy or another. Another policy is asked about the loads
 * that the recorded one brought about, so the answer is where the two differ, not how a run with the other would have gone.
 */
public final class DecisionReplay {

    /**
     * What came of it.
     *
     * @param decisions number of decisions decided again
     * @param different those with another choice
     * @param chosen how often each rank was chosen in the record
     * @param again how often each rank is chosen now
     * @param missing entries that were dropped while recording; with any, a policy with memory may differ from itself
     * @param examples the first few differences, in words
     */
    public record Result(
            long decisions, long different, long[] chosen, long[] again, long missing, List<String> examples) {}

    private static final int EXAMPLES = 10;

    private final String method;
    private DispatchPolicy policy;
    private long decisions;
    private long different;
    private long missing;
    private long next;
    private long[] chosen = {};
    private long[] again = {};
    private final List<String> examples = new ArrayList<>();

    /** @param method the policy to decide with, or null for the recorded one */
    public DecisionReplay(String method) {
        this.method = method;
    }

    /**
     * Decides all again.
     *
     * @throws IOException if this is no decision record
     */
    public Result run(MessageUnpacker in) throws IOException {
        DecisionCodec codec = new DecisionCodec();
        DecisionCodec.readHeader(in);
        for (DecisionCodec.Numbered read = codec.read(in); read != null; read = codec.read(in)) {
            missing += read.number() - next;
            next = read.number() + 1;
            apply(read.entry());
        }
        return new Result(decisions, different, chosen, again, missing, examples);
    }

    private void apply(DecisionEntry entry) throws IOException {
        if (entry instanceof DecisionEntry.PolicySet set) {
            if (policy == null || method == null) {
                policy = Policies.create(
                        method == null ? set.method() : method,
                        new Policies.Settings(set.timeScale(), set.budgetInterval(), set.seed()));
            }
        } else if (policy == null) {
            throw new IOException("the record does not begin with a policy");
        } else if (entry instanceof DecisionEntry.Reported reported) {
            policy.onReport(reported.ranks(), reported.loads());
        } else if (entry instanceof DecisionEntry.Decided decided) {
            decide(decided);
        }
    }

    private void decide(DecisionEntry.Decided decided) {
        RankSnapshot ranks = decided.ranks();
        int now = policy.choose(ranks, decided.request());
        decisions++;
        chosen = count(chosen, ranks.slots(), decided.chosen());
        again = count(again, ranks.slots(), now);
        if (now != decided.chosen()) {
            different++;
            if (examples.size() < EXAMPLES) {
                examples.add("decision " + decisions + " (" + decided.request().promptTokens()
                        + " prompt tokens): rank "
                        + decided.chosen() + " with " + held(ranks, decided.chosen()) + " requests, now rank " + now
                        + " with " + held(ranks, now));
            }
        }
    }

    private static long held(RankSnapshot ranks, int dpRank) {
        return dpRank < 0 ? 0 : ranks.requests(dpRank);
    }

    private static long[] count(long[] counts, int slots, int dpRank) {
        long[] grown = counts.length < slots ? Arrays.copyOf(counts, slots) : counts;
        if (dpRank >= 0) {
            grown[dpRank]++;
        }
        return grown;
    }
}
