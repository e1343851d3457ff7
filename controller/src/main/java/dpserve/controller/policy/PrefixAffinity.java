package dpserve.controller.policy;

/**
 * Sends a request where the longest prefix of its prompt went before, unless that rank is loaded well beyond the average;
 * then to the least loaded. A routing_key stands for the whole prefix. {@code prefix_affinity} counts requests for both.
 *
 * <p>Which rank saw which prefix is kept in a table of fixed size, indexed by the hash of the prefix up to each block
 * boundary: what a prefix tree would tell, forgetting old entries as they are overwritten and sometimes wrong, which
 * costs a cache hit and nothing else.
 */
final class PrefixAffinity implements DispatchPolicy {
    /** Entries of the table: 2^16 prefixes of a block or more, 1 MiB. */
    static final int ENTRIES = 1 << 16;

    /** A rank with this many times the average load, and the slack more, is passed over. */
    static final double OVERLOAD_RATIO = 1.25;

    /** With few requests a ratio means nothing: this many above the average are always allowed. */
    static final int SLACK = 2;

    private final Rotation rotation = new Rotation();
    private final Rotation.Load load;
    private final Rotation.Load guarded;
    private final long slack;
    private final long[] hashes = new long[ENTRIES];
    private final int[] ranksOf = new int[ENTRIES];

    /** By requests in flight, {@code prefix_affinity}. */
    PrefixAffinity() {
        this(LeastRequests::load, LeastRequests::load, SLACK);
    }

    /**
     * @param load of which the rank with the least is taken without a prefix
     * @param guarded of which the rank with the prefix must not have much more than the average
     * @param slack how much more is always allowed
     */
    PrefixAffinity(Rotation.Load load, Rotation.Load guarded, long slack) {
        this.load = load;
        this.guarded = guarded;
        this.slack = slack;
    }

    @Override
    public int choose(RankView ranks, RequestInfo request) {
        int chosen = preferred(ranks, request);
        if (chosen < 0 || isOverloaded(ranks, request, chosen)) {
            chosen = rotation.least(ranks, request, load, LeastRequests::load);
        }
        if (chosen >= 0) {
            remember(request, chosen);
        }
        return chosen;
    }

    private int preferred(RankView ranks, RequestInfo request) {
        if (request.routingKey() != null) {
            return lookUp(ranks, sessionHash(request));
        }
        long[] prefixes = request.prefixHashes();
        for (int i = prefixes.length - 1; i >= 0; i--) {
            int rank = lookUp(ranks, prefixes[i]);
            if (rank >= 0) {
                return rank;
            }
        }
        return NOT_LIVE;
    }

    private int lookUp(RankView ranks, long hash) {
        int at = index(hash);
        return hashes[at] == hash && ranks.isLive(ranksOf[at]) ? ranksOf[at] : NOT_LIVE;
    }

    private void remember(RequestInfo request, int rank) {
        if (request.routingKey() != null) {
            put(sessionHash(request), rank);
            return;
        }
        for (long hash : request.prefixHashes()) {
            put(hash, rank);
        }
    }

    private void put(long hash, int rank) {
        int at = index(hash);
        hashes[at] = hash;
        ranksOf[at] = rank;
    }

    private static long sessionHash(RequestInfo request) {
        // 0 marks an empty entry.
        return request.routingKey().hashCode() * 0x9e3779b97f4a7c15L | 1;
    }

    private static int index(long hash) {
        return (int) (hash >>> 32) & ENTRIES - 1;
    }

    private boolean isOverloaded(RankView ranks, RequestInfo request, int rank) {
        long total = 0;
        for (int r = 0; r < ranks.slots(); r++) {
            if (ranks.isLive(r)) {
                total += guarded.of(ranks, request, r);
            }
        }
        double average = (double) total / ranks.liveCount();
        return guarded.of(ranks, request, rank) > average * OVERLOAD_RATIO + slack;
    }
}
