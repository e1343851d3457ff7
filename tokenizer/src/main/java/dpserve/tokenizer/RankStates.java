package dpserve.tokenizer;

import dpserve.io.message.ControllerHello;
import dpserve.io.message.RankDown;
import dpserve.io.message.RankUp;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** What the controller has told this worker about itself and the ranks. */
public final class RankStates {
    /** Three missed signs of life, which come every second. */
    public static final long CONTROLLER_TIMEOUT_NS = 3_000_000_000L;

    private final int dpSize;
    private final Map<Integer, RankUp> up = new TreeMap<>();
    private long controllerEpoch;
    private boolean heard;
    private long heardNs;

    /** @param dpSize ranks that the topology should have */
    public RankStates(int dpSize) {
        this.dpSize = dpSize;
    }

    /** The controller gave a sign of life. */
    public void onHello(ControllerHello hello, long nowNs) {
        if (hello.epoch() != controllerEpoch) {
            // A restarted controller announces the ranks it knows anew.
            controllerEpoch = hello.epoch();
            up.clear();
        }
        heard = true;
        heardNs = nowNs;
    }

    /** The controller is SGLang's, which says nothing: it and all ranks count as alive. */
    public void takeForUp(long nowNs) {
        heard = true;
        heardNs = nowNs;
        for (int rank = 0; rank < dpSize; rank++) {
            up.putIfAbsent(rank, new RankUp(rank, 0, "", Map.of(), ""));
        }
    }

    /** A rank takes requests. */
    public void onUp(RankUp message) {
        up.put(message.dpRank(), message);
    }

    /** An incarnation of a rank is gone. */
    public void onDown(RankDown message) {
        RankUp known = up.get(message.dpRank());
        if (known != null && known.incarnation() <= message.incarnation()) {
            up.remove(message.dpRank());
        }
    }

    /** Whether the controller gave a sign of life lately. */
    public boolean controllerAlive(long nowNs) {
        return heard && nowNs - heardNs <= CONTROLLER_TIMEOUT_NS;
    }

    /** Ranks that take requests, ascending. */
    public List<Integer> live() {
        return new ArrayList<>(up.keySet());
    }

    /** Of the live ranks those that registered; the others are SGLang's and know none of this project's messages. */
    public List<Integer> registered() {
        return up.values().stream()
                .filter(rank -> rank.incarnation() > 0)
                .map(RankUp::dpRank)
                .toList();
    }

    /** Ranks of the topology that do not take requests, ascending. */
    public List<Integer> missing() {
        List<Integer> missing = new ArrayList<>();
        for (int rank = 0; rank < dpSize; rank++) {
            if (!up.containsKey(rank)) {
                missing.add(rank);
            }
        }
        return missing;
    }

    /** Ranks that the topology should have. */
    public int dpSize() {
        return dpSize;
    }

    /** A whole number of the ranks' registration, such as max_total_num_tokens; 0 where no rank is up. */
    public long info(String key) {
        return up.values().stream()
                .mapToLong(rank -> rank.info().getOrDefault(key, 0L))
                .findFirst()
                .orElse(0);
    }
}
