package dpserve.scheduler;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;

/**
 * Decides what is prefilled next: owns the waiting queue and the one request whose prompt is being computed in chunks.
 */
final class PrefillManager {
    private final SchedulerConfig config;
    private final KvPool pool;
    private final RequestSlots slots;
    private final WaitingQueue waiting;
    private Request chunked;
    private int cachedInBatch;

    /** Nothing more fits until a running request ends: saves trying at every step (SGLang's batch_is_full). */
    private boolean full;

    PrefillManager(SchedulerConfig config, KvPool pool, RequestSlots slots) {
        this.config = config;
        this.pool = pool;
        this.slots = slots;
        this.waiting = new WaitingQueue(config.schedulePolicy(), pool);
    }

    WaitingQueue waiting() {
        return waiting;
    }

    /** The request whose prompt is computed in part, or null. It neither waits nor runs. */
    Request chunked() {
        return chunked;
    }

    boolean isEmpty() {
        return chunked == null && waiting.isEmpty();
    }

    /** Tokens that are still to be computed before every request held can decode, cached ones counted. */
    long pendingTokens() {
        return waiting.tokens() + (chunked == null ? 0 : chunked.length() - chunked.kvLength);
    }

    /** Tokens that the last batch's new requests found in the cache. */
    int cachedInBatch() {
        return cachedInBatch;
    }

    /** A request ended or lost its KV: there may be room again. */
    void onRoom() {
        full = false;
    }

    /** The chunked request ends or goes back to the queue. */
    void clearChunked() {
        chunked = null;
        full = false;
    }

    /**
     * The next prefill batch, its KV allocated.
     *
     * @param running number of running requests
     * @param reserved output tokens that these are expected to make yet
     * @return null if nothing can be admitted
     */
    Batch next(int running, double reserved) {
        if (running == 0) {
            full = false;
        }
        if (chunked == null && (full || waiting.isEmpty())) {
            return null;
        }
        cachedInBatch = 0;
        PrefillAdder adder = new PrefillAdder(config, pool, reserved);
        if (chunked != null) {
            adder.take(chunked);
        }
        admit(adder, config.maxRunningRequests() - running);
        chunked = adder.chunked();
        return adder.batch();
    }

    private void admit(PrefillAdder adder, int room) {
        List<Request> taken = new ArrayList<>();
        Collection<Request> candidates = full || adder.chunked() != null ? List.of() : waiting.candidates();
        for (Request r : candidates) {
            if (adder.size() >= room) {
                full = true;
                break;
            }
            PrefillAdder.Outcome outcome = adder.add(r);
            if (outcome == PrefillAdder.Outcome.NO_TOKEN || adder.isOutOfTokens()) {
                full = true;
            }
            if (outcome == PrefillAdder.Outcome.TAKEN || outcome == PrefillAdder.Outcome.TAKEN_LAST) {
                taken.add(r);
            }
            if (outcome != PrefillAdder.Outcome.TAKEN) {
                break;
            }
        }
        for (Request r : taken) {
            waiting.remove(r);
            slots.take(r);
            cachedInBatch += r.prefixLength;
            if (r.cachedTokens < 0) {
                r.cachedTokens = Math.min(r.prefixLength, r.promptLength());
            }
        }
    }
}
