package dpserve.scheduler;

import java.util.ArrayList;
import java.util.List;

/**
 * Fills one prefill batch within its budgets: KV slots (with a reserve for the output that running requests are still
 * expected to make), prompt tokens of a batch, tokens of a chunk. The rules are SGLang's PrefillAdder's. What it takes,
 * it gives KV at once.
 */
final class PrefillAdder {
    /** What became of a request. */
    enum Outcome {
        /** Taken; the next may be tried. */
        TAKEN,
        /** Taken, and no more fit. */
        TAKEN_LAST,
        /** Not taken: the budget of this batch is spent. */
        NO_BUDGET,
        /** Not taken: it would not find KV slots until another request ends. */
        NO_TOKEN
    }

    private final KvPool pool;
    private final int clip;
    private final List<Request> requests = new ArrayList<>();
    private final List<Integer> starts = new ArrayList<>();
    private double reserved;
    private int remainingInput;
    private int remainingChunk;
    private Request chunked;
    private boolean outOfTokens;

    /** @param reserved output tokens that running requests are expected to make yet */
    PrefillAdder(SchedulerConfig config, KvPool pool, double reserved) {
        this.pool = pool;
        this.clip = config.clipMaxNewTokens();
        this.reserved = reserved;
        this.remainingInput = config.maxPrefillTokens();
        this.remainingChunk = config.chunkedPrefillSize();
    }

    /** Tries the next waiting request, which has no KV. */
    Outcome add(Request r) {
        pool.lockPrefix(r);
        Outcome refused = refuse(r);
        if (refused != null) {
            pool.drop(r);
            return refused;
        }
        take(r);
        return isSpent() ? Outcome.TAKEN_LAST : Outcome.TAKEN;
    }

    private Outcome refuse(Request r) {
        int rest = r.length() - r.prefixLength;
        if (rest + r.reservedOutput(clip) + 1 >= remainingTokens()) {
            return Outcome.NO_TOKEN;
        }
        boolean tooLong = rest >= remainingInput && !requests.isEmpty();
        return tooLong || remainingChunk <= 0 ? Outcome.NO_BUDGET : null;
    }

    /**
     * Takes a prompt, or the next chunk of one begun in an earlier batch. Its slots are there: the whole prompt had to fit
     * when it was admitted, and nothing else is prefilled or decoded before it is complete.
     */
    void take(Request r) {
        int tokens = Math.min(r.length() - r.kvLength, remainingChunk);
        starts.add(r.kvLength);
        requests.add(r);
        pool.allocate(r, tokens);
        remainingInput -= tokens;
        remainingChunk -= tokens;
        if (r.kvLength < r.length()) {
            chunked = r;
        } else {
            // A chunk makes no output; room for it is kept once the prompt is complete.
            reserved += r.reservedOutput(clip);
        }
    }

    private boolean isSpent() {
        outOfTokens = remainingTokens() <= 0;
        return outOfTokens || remainingInput <= 0 || remainingChunk <= 0;
    }

    private double remainingTokens() {
        return pool.available() - reserved;
    }

    int size() {
        return requests.size();
    }

    /** Whether the batch ended because the KV pool is spoken for. */
    boolean isOutOfTokens() {
        return outOfTokens;
    }

    /** The request of this batch whose prompt is not yet complete, or null. */
    Request chunked() {
        return chunked;
    }

    /** The batch, or null if nothing was taken. */
    Batch batch() {
        if (requests.isEmpty()) {
            return null;
        }
        int[] from = starts.stream().mapToInt(Integer::intValue).toArray();
        int[] to = requests.stream().mapToInt(r -> r.kvLength).toArray();
        return new Batch(Batch.Mode.PREFILL, List.copyOf(requests), from, to);
    }
}
