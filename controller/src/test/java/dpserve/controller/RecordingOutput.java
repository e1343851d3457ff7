package dpserve.controller;

import dpserve.io.message.Message;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Keeps everything the controller does; a rank takes messages only while it is connected and not named as full. */
final class RecordingOutput implements ControllerOutput {
    final Map<Integer, String> rankConnections = new HashMap<>();
    final Map<Integer, String> workerConnections = new HashMap<>();
    final Map<Integer, List<Object>> ranks = new HashMap<>();
    final Map<Integer, List<Object>> workers = new HashMap<>();
    final Map<String, List<Message>> inputs = new HashMap<>();
    final Set<Integer> fullRanks = new HashSet<>();
    final Set<Integer> fullWorkers = new HashSet<>();

    /** What a rank got so far, frames and messages, oldest first; forgotten by the call. */
    List<Object> takeRank(int dpRank) {
        List<Object> got = ranks.remove(dpRank);
        return got == null ? List.of() : got;
    }

    /** What a worker got so far; forgotten by the call. */
    List<Object> takeWorker(int worker) {
        List<Object> got = workers.remove(worker);
        return got == null ? List.of() : got;
    }

    /** The messages of one type among what a worker got; everything is forgotten by the call. */
    <M> List<M> takeWorker(int worker, Class<M> type) {
        return takeWorker(worker).stream()
                .filter(type::isInstance)
                .map(type::cast)
                .toList();
    }

    void clear() {
        ranks.clear();
        workers.clear();
        inputs.clear();
    }

    @Override
    public boolean connectRank(int dpRank, String inputEndpoint) {
        rankConnections.put(dpRank, inputEndpoint);
        return true;
    }

    @Override
    public void closeRank(int dpRank) {
        rankConnections.remove(dpRank);
    }

    @Override
    public boolean toRank(int dpRank, byte[] frame) {
        return add(ranks, dpRank, frame, rankConnections.containsKey(dpRank) && !fullRanks.contains(dpRank));
    }

    @Override
    public boolean toRank(int dpRank, Message message) {
        return add(ranks, dpRank, message, rankConnections.containsKey(dpRank) && !fullRanks.contains(dpRank));
    }

    @Override
    public void toInput(String inputEndpoint, Message message) {
        inputs.computeIfAbsent(inputEndpoint, k -> new ArrayList<>()).add(message);
    }

    @Override
    public boolean connectWorker(int worker, String pullEndpoint) {
        workerConnections.put(worker, pullEndpoint);
        return true;
    }

    @Override
    public boolean toWorker(int worker, Message message) {
        return add(workers, worker, message, workerConnections.containsKey(worker) && !fullWorkers.contains(worker));
    }

    @Override
    public boolean toWorker(int worker, byte[] frame) {
        return add(workers, worker, frame, workerConnections.containsKey(worker) && !fullWorkers.contains(worker));
    }

    private static boolean add(Map<Integer, List<Object>> to, int peer, Object what, boolean taken) {
        if (taken) {
            to.computeIfAbsent(peer, k -> new ArrayList<>()).add(what);
        }
        return taken;
    }
}
