package dpserve.controller;

/**
 * One input of requests, in order: a tokenizer worker's PUSH, or a legacy input. What it may be told follows from
 * whether it said hello.
 */
final class RequestStream {
    /** The worker at its other end; {@link RidMap#NO_WORKER} for an input that did not say. */
    int worker;

    /** Incarnation of the newest hello in the stream itself, 0 without one. */
    long incarnation;

    RequestStream(int worker) {
        this.worker = worker;
    }

    /**
     * Whether frames in it still come from a former incarnation of its worker: the successor has said hello elsewhere,
     * and these were under way.
     */
    boolean isStale(TokenizerWorkers.Worker owner) {
        return incarnation != 0 && owner != null && owner.incarnation > incarnation;
    }

    /** Whether its other end keeps the rules of docs/protocol.md. */
    boolean saidHello(TokenizerWorkers.Worker owner) {
        return incarnation != 0 || (owner != null && owner.saidHello());
    }
}
