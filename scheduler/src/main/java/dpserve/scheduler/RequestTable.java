package dpserve.scheduler;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** All requests this rank holds, waiting or running, by wire rid; with what a heartbeat says of them. */
final class RequestTable {
    private final Map<String, Request> requests = new HashMap<>();
    private long hash;
    private long inputTokens;

    boolean contains(String rid) {
        return requests.containsKey(rid);
    }

    Request get(String rid) {
        return requests.get(rid);
    }

    void add(Request r) {
        requests.put(r.rid(), r);
        hash ^= r.ridHash();
        inputTokens += r.inputLength();
    }

    void remove(Request r) {
        requests.remove(r.rid());
        hash ^= r.ridHash();
        inputTokens -= r.inputLength();
    }

    int size() {
        return requests.size();
    }

    /** XOR of the wire rids' hashes; 0 when empty. */
    long hash() {
        return hash;
    }

    /** Input tokens of all of them together. */
    long inputTokens() {
        return inputTokens;
    }

    /** A copy, in order of wire rids so that it never depends on hash order. */
    List<Request> snapshot() {
        List<Request> all = new ArrayList<>(requests.values());
        all.sort(Comparator.comparing(Request::rid));
        return all;
    }
}
