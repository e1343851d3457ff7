package dpserve.scheduler;

/**
 * Accounts for the KV slots of one rank, one token each (page size 1). A slot is free, a request's own, or the prefix
 * cache's; cached tokens on the path of a running request are locked, all others can be evicted. Does not know where a
 * slot lies, only how many there are.
 */
final class KvPool {
    private final int size;

    /** Null without prefix cache. */
    private RadixCache cache;

    private int free;

    KvPool(int size, boolean cached) {
        this.size = size;
        this.free = size;
        this.cache = cached ? new RadixCache() : null;
    }

    int size() {
        return size;
    }

    /** Slots that a request can get: free ones and those that eviction frees. */
    int available() {
        return free + (cache == null ? 0 : cache.unlockedTokens());
    }

    /** Slots that requests hold, cached tokens they have locked included. */
    int used() {
        return size - available();
    }

    int cachedTokens() {
        return cache == null ? 0 : cache.size();
    }

    boolean hasCache() {
        return cache != null;
    }

    /** How much of the request the cache holds; its last token is always computed anew, for its logits. */
    int matchLength(Request r) {
        return cache == null ? 0 : cache.matchLength(namespace(r), r.ids(), r.length() - 1);
    }

    /** Gives a request without KV the cached part of its tokens, locked. */
    void lockPrefix(Request r) {
        if (cache != null) {
            r.prefixNode = cache.lockPrefix(namespace(r), r.ids(), r.length() - 1);
            r.prefixLength = r.prefixNode.end();
        }
        r.kvLength = r.prefixLength;
    }

    /**
     * Gives a request slots for its next tokens, evicting cached ones where needed.
     *
     * @throws IllegalStateException if fewer are {@link #available}
     */
    void allocate(Request r, int tokens) {
        if (tokens > free && cache != null) {
            free += cache.evict(tokens - free);
        }
        if (tokens > free) {
            throw new IllegalStateException(tokens + " KV slots wanted, " + free + " free");
        }
        free -= tokens;
        r.kvLength += tokens;
    }

    /** Hands the KV computed so far to the cache, where others find it; the request keeps it locked. */
    void share(Request r) {
        if (cache == null) {
            return;
        }
        int before = cache.size();
        RadixCache.Node node = cache.insert(namespace(r), r.ids(), r.kvLength);
        cache.lock(node);
        cache.unlock(r.prefixNode);
        // What another request had put there meanwhile exists twice now: this request's copy goes.
        free += r.ownSlots() - (cache.size() - before);
        r.prefixNode = node;
        r.prefixLength = r.kvLength;
    }

    /** Takes all KV off a request; what it had shared stays cached, its own slots are free. */
    void drop(Request r) {
        free += r.ownSlots();
        if (r.prefixNode != null) {
            cache.unlock(r.prefixNode);
        }
        r.prefixNode = null;
        r.prefixLength = 0;
        r.kvLength = 0;
    }

    /** Empties the cache. Only while no request holds KV. */
    void flush() {
        if (used() != 0) {
            throw new IllegalStateException("flushed while requests hold KV");
        }
        cache = cache == null ? null : new RadixCache();
        free = size;
    }

    /** Whether the pool is as it must be while no request holds KV: every slot free or cached, none locked. */
    boolean isWholeWhenIdle() {
        return free + cachedTokens() == size && used() == 0 && (cache == null || cache.lockedTokens() == 0);
    }

    private static String namespace(Request r) {
        String extraKey = r.input().extraKey();
        return extraKey == null ? "" : extraKey;
    }
}
