package dpserve.scheduler;

import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;

/**
 * Requests without KV, in order of arrival; retracted ones stand at the end again. {@link #candidates} gives the order
 * of the policy.
 */
final class WaitingQueue {
    /** Above this many waiting requests, matching all of them costs more than it brings (SGLang). */
    static final int MAX_MATCHED = 128;

    /** A request of which the cache holds more than this is worth no wait for another to fill it. */
    private static final int ENOUGH_CACHED = 32;

    /** Requests that share at least this many tokens with one before them wait for that one to be cached. */
    private static final int WORTH_WAITING = 32;

    private final SchedulePolicy policy;
    private final KvPool pool;
    private final LinkedHashSet<Request> requests = new LinkedHashSet<>();
    private long tokens;

    WaitingQueue(SchedulePolicy policy, KvPool pool) {
        this.policy = policy;
        this.pool = pool;
    }

    void add(Request r) {
        requests.add(r);
        tokens += r.length();
    }

    /** Whether it was waiting. */
    boolean remove(Request r) {
        boolean found = requests.remove(r);
        if (found) {
            tokens -= r.length();
        }
        return found;
    }

    int size() {
        return requests.size();
    }

    boolean isEmpty() {
        return requests.isEmpty();
    }

    /** Lengths of all waiting requests together. */
    long tokens() {
        return tokens;
    }

    /** The waiting requests in the order in which they are to be admitted. Do not change the queue meanwhile. */
    Collection<Request> candidates() {
        boolean matched = policy == SchedulePolicy.LPM && pool.hasCache() && requests.size() <= MAX_MATCHED;
        return matched ? byLongestPrefix() : requests;
    }

    private List<Request> byLongestPrefix() {
        Map<Request, Integer> rank = new HashMap<>();
        RadixCache ahead = new RadixCache();
        for (Request r : requests) {
            int cached = pool.matchLength(r);
            rank.put(r, cached <= ENOUGH_CACHED && isShared(ahead, r) ? -1 : cached);
        }
        List<Request> sorted = new ArrayList<>(requests);
        sorted.sort(Comparator.comparing(rank::get, Comparator.reverseOrder()));
        return sorted;
    }

    /** Whether a waiting request before this one will put its prefix into the cache. */
    private static boolean isShared(RadixCache ahead, Request r) {
        String namespace = r.input().extraKey() == null ? "" : r.input().extraKey();
        if (ahead.matchLength(namespace, r.ids(), r.length()) >= WORTH_WAITING) {
            return true;
        }
        ahead.insert(namespace, r.ids(), r.length());
        return false;
    }
}
