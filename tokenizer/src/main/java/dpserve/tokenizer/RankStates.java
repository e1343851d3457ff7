package dpserve.tokenizer;

import dpserve.io.message.ControllerHello;
import dpserve.io.message.Message;
import dpserve.io.message.RankDown;
import dpserve.io.message.RankStatus;
import dpserve.io.message.RankUp;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;

/** What the controller has told this worker about itself and the ranks. */
public final class RankStates {
    /** Three missed signs of life, which come every second. */
    public static final long CONTROLLER_TIMEOUT_NS = 3_000_000_000L;

    private final TreeSet<Integer> expected = new TreeSet<>();
    private final Map<Integer, RankUp> up = new TreeMap<>();
    private final Map<Integer, String> drains = new HashMap<>();
    private long controllerEpoch;
    private boolean heard;
    private long heardNs;

    /** @param dpSize ranks that the topology should have at first, from 0 on */
    public RankStates(int dpSize) {
        for (int rank = 0; rank < dpSize; rank++) {
            expected.add(rank);
        }
    }

    /** The controller gave a sign of life. */
    public void onHello(ControllerHello hello, long nowNs) {
        if (hello.epoch() != controllerEpoch) {
            // A restarted controller announces the ranks it knows anew.
            controllerEpoch = hello.epoch();
            up.clear();
            drains.clear();
        }
        heard = true;
        heardNs = nowNs;
    }

    /** The controller is SGLang's, which says nothing: it and all ranks count as alive. */
    public void takeForUp(long nowNs) {
        heard = true;
        heardNs = nowNs;
        for (int rank : expected) {
            up.putIfAbsent(rank, new RankUp(rank, 0, "", Map.of(), ""));
        }
    }

    /**
     * A rank came, or an operator drained, took back or removed one.
     *
     * @return false if the message is no news of this kind
     */
    public boolean onNews(Message message) {
        if (message instanceof RankUp m) {
            onUp(m);
        } else if (message instanceof RankStatus m && m.rid() == null) {
            onStatus(m);
        } else {
            return false;
        }
        return true;
    }

    /** A rank takes requests. */
    public void onUp(RankUp message) {
        expected.add(message.dpRank());
        up.put(message.dpRank(), message);
        drains.remove(message.dpRank());
    }

    private void onStatus(RankStatus status) {
        int rank = status.dpRank();
        switch (status.state()) {
            case RankStatus.REMOVED -> {
                expected.remove(rank);
                up.remove(rank);
                drains.remove(rank);
            }
            case RankStatus.DRAINING, RankStatus.DRAINED -> drains.put(rank, status.state());
            default -> drains.remove(rank);
        }
    }

    /** An incarnation of a rank is gone. */
    public void onDown(RankDown message) {
        RankUp known = up.get(message.dpRank());
        if (known != null && known.incarnation() <= message.incarnation()) {
            up.remove(message.dpRank());
            drains.remove(message.dpRank());
        }
    }

    /** Whether the controller gave a sign of life lately. */
    public boolean controllerAlive(long nowNs) {
        return heard && nowNs - heardNs <= CONTROLLER_TIMEOUT_NS;
    }

    /** Ranks that answer, those that are drained among them, ascending. */
    public List<Integer> live() {
        return new ArrayList<>(up.keySet());
    }

    /** Ranks that take new requests, ascending. */
    public List<Integer> taking() {
        return up.keySet().stream().filter(rank -> !drains.containsKey(rank)).toList();
    }

    /** Ranks that live and take no new requests, in this state (draining or drained), ascending. */
    public List<Integer> in(String drainState) {
        return up.keySet().stream()
                .filter(rank -> drainState.equals(drains.get(rank)))
                .toList();
    }

    /** Of the live ranks those that registered; the others are SGLang's and know none of this project's messages. */
    public List<Integer> registered() {
        return up.values().stream()
                .filter(rank -> rank.incarnation() > 0)
                .map(RankUp::dpRank)
                .toList();
    }

    /** Ranks of the topology that are not there, ascending. */
    public List<Integer> missing() {
        return expected.stream().filter(rank -> !up.containsKey(rank)).toList();
    }

    /** The state of every rank of the topology in a word: up, draining, drained or down. */
    public Map<Integer, String> all() {
        Map<Integer, String> all = new TreeMap<>();
        expected.forEach(
                rank -> all.put(rank, up.containsKey(rank) ? drains.getOrDefault(rank, RankStatus.UP) : "down"));
        return all;
    }

    /** Ranks that the topology should have. */
    public int dpSize() {
        return expected.size();
    }

    /** One more than the highest dp_rank of the topology: bounds what a client may ask for. */
    public int bound() {
        return expected.isEmpty() ? 0 : expected.last() + 1;
    }

    /** A whole number of the ranks' registration, such as max_total_num_tokens; 0 where no rank is up. */
    public long info(String key) {
        return up.values().stream()
                .mapToLong(rank -> rank.info().getOrDefault(key, 0L))
                .findFirst()
                .orElse(0);
    }
}
