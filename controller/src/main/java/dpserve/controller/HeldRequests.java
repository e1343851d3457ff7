package dpserve.controller;

import dpserve.controller.policy.RequestInfo;
import dpserve.io.WireRid;
import dpserve.io.codec.TextSpan;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;

/** Requests that wait at the controller because no rank is live or has room, in order of arrival. */
final class HeldRequests {

    /**
     * One waiting request.
     *
     * @param worker owning tokenizer worker, or {@link RidMap#NO_WORKER}
     * @param legacy whether it came on a stream without hello
     * @param frame its bytes as they came
     * @param sinceNs monotonic time of arrival
     */
    record Held(int worker, boolean legacy, RequestInfo info, byte[] frame, long sinceNs) {}

    private final Map<String, Held> byKey = new LinkedHashMap<>();
    private long legacyCount;
    private long bytes;

    void add(Held held) {
        bytes += held.frame().length;
        byKey.put(held.legacy() ? legacyKey() : held.info().rid(), held);
    }

    /** Rids of legacy streams may repeat, so they get keys of their own; a wire rid always holds a separator. */
    private String legacyKey() {
        return "legacy " + legacyCount++;
    }

    /** Whether a request of the same wire rid is here. */
    boolean contains(RequestInfo request) {
        return !byKey.isEmpty() && byKey.containsKey(request.rid());
    }

    /** Takes one by wire rid; null if it is not here. */
    Held remove(String rid) {
        return taken(byKey.remove(rid));
    }

    /** Takes the request that has waited longest; null without one. */
    Held poll() {
        Iterator<Held> it = byKey.values().iterator();
        if (!it.hasNext()) {
            return null;
        }
        Held first = it.next();
        it.remove();
        return taken(first);
    }

    /** Takes all that arrived at or before this time. */
    List<Held> removeUntil(long arrivedNs) {
        return removeIf(h -> h.sinceNs() - arrivedNs <= 0);
    }

    /** The wire rids of a worker. */
    List<String> ofWorker(int worker) {
        return byKey.values().stream()
                .filter(h -> !h.legacy() && h.worker() == worker)
                .map(h -> h.info().rid())
                .toList();
    }

    /** Takes all of a worker's streams with hello. */
    List<Held> removeWorker(int worker) {
        return removeIf(h -> !h.legacy() && h.worker() == worker);
    }

    /** Takes all of a user's rid; on legacy streams that is the rid itself. */
    List<Held> removeUser(String userRid) {
        byte[] utf8 = userRid.getBytes(StandardCharsets.UTF_8);
        return removeIf(h -> isOfUser(h.info().ridSpan(), utf8));
    }

    private static boolean isOfUser(TextSpan rid, byte[] userRid) {
        return rid != null && WireRid.isOfUser(rid.utf8(), rid.from(), rid.to(), userRid);
    }

    /** Takes everything. */
    List<Held> removeAll() {
        return removeIf(h -> true);
    }

    private List<Held> removeIf(Predicate<Held> wanted) {
        List<Held> taken = new ArrayList<>();
        byKey.values().removeIf(h -> wanted.test(h) && taken.add(taken(h)));
        return taken;
    }

    private Held taken(Held held) {
        bytes -= held == null ? 0 : held.frame().length;
        return held;
    }

    /** Of all frames that wait. */
    long bytes() {
        return bytes;
    }

    int size() {
        return byKey.size();
    }
}
