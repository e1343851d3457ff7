package dpserve.scheduler;

/**
 * What waits in a PD server's own queues, as load reports count it. Leaving these out made ranks look idle upstream
 * (SGLang #25736, #22614).
 */
final class HandoffQueues {
    /** Requests without KV that wait for the other half of their pair, or to get back what they lost. */
    int reqs;

    /** Their lengths together. */
    long tokens;

    void add(Request r) {
        reqs++;
        tokens += r.length();
    }

    void remove(Request r) {
        reqs--;
        tokens -= r.length();
    }

    void clear() {
        reqs = 0;
        tokens = 0;
    }
}
