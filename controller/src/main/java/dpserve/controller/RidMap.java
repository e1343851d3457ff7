package dpserve.controller;

import dpserve.io.WireRid;
import dpserve.io.codec.TextSpan;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.IntPredicate;

/**
 * Which rank holds which attempt: wire rid to worker, dp_rank, incarnation and prompt tokens, from dispatch to end. The
 * requests, prompt tokens and rid hash of each rank are sums over this map and nothing else, so they return to zero
 * when it is empty, and ending a rid twice changes nothing.
 *
 * <p>Open addressing with linear probing over parallel arrays: nothing is allocated per request. Not thread-safe.
 */
public final class RidMap {

    /** Worker number of an attempt whose owner is not known, as after a controller restart. */
    public static final int NO_WORKER = -1;

    /** Room for the requests of a small topology; doubles as needed. A power of two. */
    private static final int INITIAL_SLOTS = 1024;

    private TextSlots rids = new TextSlots(INITIAL_SLOTS);
    private int[] keys = new int[INITIAL_SLOTS];
    private boolean[] hashed = new boolean[INITIAL_SLOTS];
    private int[] workers = new int[INITIAL_SLOTS];
    private int[] dpRanks = new int[INITIAL_SLOTS];
    private long[] incarnations = new long[INITIAL_SLOTS];
    private int[] promptTokens = new int[INITIAL_SLOTS];
    private int size;
    private int peak;

    private final int credit;
    private long[] rankRequests = new long[0];
    private long[] rankTokens = new long[0];

    /** XOR of the hashes of those that are {@link #hashed}. */
    private long[] rankHash = new long[0];

    /** How many of a rank's are not. */
    private int[] rankUnhashed = new int[0];

    /**
     * One attempt in the map.
     *
     * @param worker owning tokenizer worker, or {@link #NO_WORKER}
     */
    public record Entry(String rid, int worker, int dpRank, long incarnation, int promptTokens) {}

    /** Without a limit on any rank. */
    public RidMap() {
        this(Integer.MAX_VALUE);
    }

    /** @param credit most attempts that a rank is to have, see {@link #hasRoom} */
    public RidMap(int credit) {
        this.credit = credit;
    }

    /** Whether the rank has fewer attempts than it may have. */
    public boolean hasRoom(int dpRank) {
        return size < credit || requests(dpRank) < credit;
    }

    /** Whether there are so few attempts that every rank has room. */
    boolean allHaveRoom() {
        return size < credit;
    }

    /**
     * An attempt was dispatched.
     *
     * @return false if the rid is in the map already; then nothing changes
     */
    public boolean begin(String rid, int worker, int dpRank, long incarnation, int tokens) {
        return begin(TextSpan.of(rid), worker, dpRank, incarnation, tokens);
    }

    /** As above; the rid's bytes are copied. */
    boolean begin(TextSpan rid, int worker, int dpRank, long incarnation, int tokens) {
        int key = RidKey.of(rid);
        int slot = slotOf(rid, key);
        if (!rids.isEmpty(slot)) {
            return false;
        }
        reserveRank(dpRank);
        put(slot, rid, key, false, worker, dpRank, incarnation, tokens);
        rankRequests[dpRank]++;
        rankTokens[dpRank] += tokens;
        rankUnhashed[dpRank]++;
        peak = size == 0 ? 1 : Math.max(peak, size + 1);
        if (++size * 2 > rids.slots()) {
            grow();
        }
        return true;
    }

    /**
     * An attempt has ended.
     *
     * @return false if the rid is unknown; then nothing changes
     */
    public boolean end(String rid) {
        return end(TextSpan.of(rid));
    }

    /** As above. */
    boolean end(TextSpan rid) {
        return endSlot(slotOf(rid, RidKey.of(rid)));
    }

    private boolean endSlot(int slot) {
        if (rids.isEmpty(slot)) {
            return false;
        }
        int dpRank = dpRanks[slot];
        rankRequests[dpRank]--;
        rankTokens[dpRank] -= promptTokens[slot];
        if (hashed[slot]) {
            rankHash[dpRank] ^= rids.hash64(slot);
        } else {
            rankUnhashed[dpRank]--;
        }
        size--;
        close(slot);
        return true;
    }

    /** What is known of an attempt, or null. */
    public Entry get(String rid) {
        TextSpan span = TextSpan.of(rid);
        int slot = slotOf(span, RidKey.of(span));
        return rids.isEmpty(slot) ? null : entry(slot);
    }

    /** Whether the attempt is in the map. */
    public boolean contains(String rid) {
        return contains(TextSpan.of(rid));
    }

    /** As above. */
    boolean contains(TextSpan rid) {
        return !rids.isEmpty(slotOf(rid, RidKey.of(rid)));
    }

    /** Ends every attempt of one incarnation of a rank and returns them. */
    public List<Entry> endRank(int dpRank, long incarnation) {
        return endAll(select(slot -> dpRanks[slot] == dpRank && incarnations[slot] == incarnation));
    }

    /** Ends every attempt of one worker and returns them. */
    public List<Entry> endWorker(int worker) {
        return endAll(ofWorker(worker));
    }

    /** Every attempt of one worker. */
    public List<Entry> ofWorker(int worker) {
        return select(slot -> workers[slot] == worker);
    }

    /** Every attempt on one rank. */
    public List<Entry> ofRank(int dpRank) {
        return select(slot -> dpRanks[slot] == dpRank);
    }

    /** Every attempt of a user's rid, whoever owns it. A scan of the whole map: for rare calls. */
    public List<Entry> ofUser(String userRid) {
        byte[] utf8 = userRid.getBytes(StandardCharsets.UTF_8);
        return select(slot -> rids.isOfUser(slot, utf8));
    }

    /** Gives attempts without an owner to the worker whose incarnation their wire rid names. */
    public void adopt(int worker, long workerIncarnation) {
        for (int slot = 0; slot < rids.slots(); slot++) {
            boolean orphan = !rids.isEmpty(slot) && workers[slot] == NO_WORKER;
            if (orphan && WireRid.incarnationOf(rids.text(slot)) == workerIncarnation) {
                workers[slot] = worker;
            }
        }
    }

    /** Shows every attempt. */
    public void forEach(Consumer<Entry> action) {
        select(slot -> true).forEach(action);
    }

    /** Number of attempts. */
    public int size() {
        return size;
    }

    /**
     * Most attempts at once since the map was last empty. Above the requests that clients have open by the ends that were
     * still on their way here.
     */
    public int peak() {
        return peak;
    }

    /** Attempts on this rank. */
    public long requests(int dpRank) {
        return dpRank < rankRequests.length ? rankRequests[dpRank] : 0;
    }

    /** Prompt tokens of the attempts on this rank. */
    public long tokens(int dpRank) {
        return dpRank < rankTokens.length ? rankTokens[dpRank] : 0;
    }

    /**
     * XOR of {@link WireRid#hash64} over the attempts on this rank, as heartbeats carry it. Hashes are computed only here, which costs
     * a look at the whole map if there are new attempts: most end before a heartbeat's count ever agrees.
     */
    public long hash(int dpRank) {
        if (dpRank >= rankHash.length) {
            return 0;
        }
        for (int slot = 0; slot < rids.slots() && rankUnhashed[dpRank] > 0; slot++) {
            if (!rids.isEmpty(slot) && dpRanks[slot] == dpRank && !hashed[slot]) {
                hashed[slot] = true;
                rankHash[dpRank] ^= rids.hash64(slot);
                rankUnhashed[dpRank]--;
            }
        }
        return rankHash[dpRank];
    }

    /** Whether the sums can be right: none is below zero, and without attempts all are zero. */
    public boolean isConsistent() {
        for (int r = 0; r < rankRequests.length; r++) {
            boolean zero = rankRequests[r] == 0 && rankTokens[r] == 0 && rankHash[r] == 0;
            if (rankRequests[r] < 0 || rankTokens[r] < 0 || (size == 0 && !zero)) {
                return false;
            }
        }
        return true;
    }

    private List<Entry> select(IntPredicate wanted) {
        List<Entry> found = new ArrayList<>();
        for (int slot = 0; slot < rids.slots(); slot++) {
            if (!rids.isEmpty(slot) && wanted.test(slot)) {
                found.add(entry(slot));
            }
        }
        return found;
    }

    private List<Entry> endAll(List<Entry> entries) {
        for (Entry e : entries) {
            end(e.rid());
        }
        return entries;
    }

    private Entry entry(int slot) {
        return new Entry(rids.text(slot), workers[slot], dpRanks[slot], incarnations[slot], promptTokens[slot]);
    }

    /** The slot that holds the rid, or the free one where it belongs. */
    private int slotOf(TextSpan rid, int key) {
        int mask = rids.slots() - 1;
        int slot = key & mask;
        while (!rids.isEmpty(slot) && (keys[slot] != key || !rids.is(slot, rid))) {
            slot = (slot + 1) & mask;
        }
        return slot;
    }

    private void put(
            int slot, TextSpan rid, int key, boolean isHashed, int worker, int dpRank, long incarnation, int tokens) {
        rids.set(slot, rid);
        keys[slot] = key;
        hashed[slot] = isHashed;
        workers[slot] = worker;
        dpRanks[slot] = dpRank;
        incarnations[slot] = incarnation;
        promptTokens[slot] = tokens;
    }

    /** Empties a slot and moves later entries of the same run up, so that no probe stops early. */
    private void close(int freed) {
        int mask = rids.slots() - 1;
        int hole = freed;
        rids.clear(hole);
        for (int s = (hole + 1) & mask; !rids.isEmpty(s); s = (s + 1) & mask) {
            int home = keys[s] & mask;
            boolean homeInGap = ((s - home) & mask) < ((s - hole) & mask);
            if (!homeInGap) {
                put(hole, rids.span(s), keys[s], hashed[s], workers[s], dpRanks[s], incarnations[s], promptTokens[s]);
                rids.clear(s);
                hole = s;
            }
        }
    }

    private void grow() {
        TextSlots oldRids = rids;
        int[] oldKeys = keys;
        boolean[] oldHashed = hashed;
        int[] oldWorkers = workers;
        int[] oldDpRanks = dpRanks;
        long[] oldIncarnations = incarnations;
        int[] oldTokens = promptTokens;
        int slots = oldRids.slots() * 2;
        rids = new TextSlots(slots);
        keys = new int[slots];
        hashed = new boolean[slots];
        workers = new int[slots];
        dpRanks = new int[slots];
        incarnations = new long[slots];
        promptTokens = new int[slots];
        for (int s = 0; s < oldRids.slots(); s++) {
            if (!oldRids.isEmpty(s)) {
                TextSpan rid = oldRids.span(s);
                put(
                        slotOf(rid, oldKeys[s]),
                        rid,
                        oldKeys[s],
                        oldHashed[s],
                        oldWorkers[s],
                        oldDpRanks[s],
                        oldIncarnations[s],
                        oldTokens[s]);
            }
        }
    }

    private void reserveRank(int dpRank) {
        if (dpRank >= rankRequests.length) {
            int slots = Math.max(dpRank + 1, rankRequests.length * 2);
            rankRequests = Arrays.copyOf(rankRequests, slots);
            rankTokens = Arrays.copyOf(rankTokens, slots);
            rankHash = Arrays.copyOf(rankHash, slots);
            rankUnhashed = Arrays.copyOf(rankUnhashed, slots);
        }
    }
}
