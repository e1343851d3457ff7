package dpserve.router;

import java.net.URI;
import java.util.List;

/** Picks a prefill and a decode server for each attempt: of each kind the one with the fewest requests, ties in turn. */
public final class PairChoice {
    /**
     * A prefill server.
     *
     * @param url its HTTP address
     * @param bootstrapPort port of its bootstrap server, on the same host
     */
    public record Prefill(URI url, int bootstrapPort) {}

    /** A server of each kind; give it back with {@link #release} when the attempt has ended. */
    public record Pair(int prefill, int decode) {}

    private final List<Prefill> prefills;
    private final List<URI> decodes;
    private final int[] onPrefill;
    private final int[] onDecode;
    private int nextPrefill;
    private int nextDecode;

    /** @param prefills at least one, as of {@code decodes} */
    public PairChoice(List<Prefill> prefills, List<URI> decodes) {
        this.prefills = List.copyOf(prefills);
        this.decodes = List.copyOf(decodes);
        this.onPrefill = new int[prefills.size()];
        this.onDecode = new int[decodes.size()];
    }

    /** The pair for the next attempt. */
    public Pair take() {
        nextPrefill = leastAfter(onPrefill, nextPrefill);
        nextDecode = leastAfter(onDecode, nextDecode);
        Pair pair = new Pair(nextPrefill, nextDecode);
        onPrefill[nextPrefill++]++;
        onDecode[nextDecode++]++;
        return pair;
    }

    private static int leastAfter(int[] counts, int from) {
        int best = from % counts.length;
        for (int k = 1; k < counts.length; k++) {
            int i = (from + k) % counts.length;
            best = counts[i] < counts[best] ? i : best;
        }
        return best;
    }

    /** An attempt has ended. */
    public void release(Pair pair) {
        onPrefill[pair.prefill()]--;
        onDecode[pair.decode()]--;
    }

    /** All prefill servers. */
    public List<Prefill> prefills() {
        return prefills;
    }

    /** All decode servers. */
    public List<URI> decodes() {
        return decodes;
    }

    /** Attempts under way. */
    public int running() {
        int sum = 0;
        for (int count : onDecode) {
            sum += count;
        }
        return sum;
    }
}
