package dpserve.scheduler;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/** Decides what is decoded next: owns the running batch, and retracts from it when the KV pool runs out. */
final class DecodeManager {
    /** What lost its KV so that the others can take a step. */
    record Retraction(List<Request> retracted, int newTokensGained, double ratioBefore, double ratio) {}

    /** Who keeps its KV longest: the most output, then the shorter input. */
    private static final Comparator<Request> KEEP_FIRST =
            Comparator.comparingInt(Request::outputLength).reversed().thenComparingInt(Request::inputLength);

    private final KvPool pool;
    private final NewTokenRatio ratio;
    private final int clip;
    private final List<Request> running = new ArrayList<>();

    DecodeManager(SchedulerConfig config, KvPool pool, NewTokenRatio ratio) {
        this.pool = pool;
        this.ratio = ratio;
        this.clip = config.clipMaxNewTokens();
    }

    int size() {
        return running.size();
    }

    void add(Request r) {
        running.add(r);
    }

    /** Takes those that have finished out of the running batch, keeping the order of the others. */
    void removeFinished() {
        running.removeIf(Request::isFinished);
    }

    void clear() {
        running.clear();
    }

    /** Output tokens that the running requests are expected to make yet. */
    double reservedTokens() {
        long most = 0;
        for (Request r : running) {
            most += r.reservedOutput(clip);
        }
        return most * ratio.current();
    }

    /** Whether the pool has a slot for the next token of every running request. */
    boolean fits() {
        return pool.available() >= running.size();
    }

    /**
     * Makes room for a step that does not fit: requests with the least output, among these the longest input, lose
     * their KV and leave the running batch until it does, at least one. The last one always stays, and fits: its
     * max_new_tokens was clipped to what the whole pool holds, and no prompt is under way while others decode.
     */
    Retraction retract() {
        int before = pool.available();
        double ratioBefore = ratio.current();
        List<Request> kept = new ArrayList<>(running);
        kept.sort(KEEP_FIRST);
        List<Request> retracted = new ArrayList<>();
        while (kept.size() > 1 && (retracted.isEmpty() || pool.available() < kept.size())) {
            Request r = kept.remove(kept.size() - 1);
            pool.drop(r);
            retracted.add(r);
        }
        running.removeIf(r -> r.kvLength == 0);
        ratio.onRetraction(running);
        return new Retraction(retracted, pool.available() - before, ratioBefore, ratio.current());
    }

    /** One step of all running requests, its KV allocated; they must {@link #fits fit}. */
    Batch next() {
        int n = running.size();
        int[] from = new int[n];
        int[] to = new int[n];
        for (int i = 0; i < n; i++) {
            Request r = running.get(i);
            from[i] = r.kvLength;
            pool.allocate(r, 1);
            to[i] = r.kvLength;
        }
        ratio.onDecodeStep();
        return new Batch(Batch.Mode.DECODE, List.copyOf(running), from, to);
    }
}
