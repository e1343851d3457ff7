package dpserve.controller;

import java.util.List;

/**
 * What the controller is told at start.
 *
 * @param dpSize ranks to expect; a pin at or above it (and above every rank registered since) is out of range
 * @param legacyRanks how many of them, from 0 on, never register: the controller binds their sockets
 * @param workerPullEndpoints per tokenizer worker, where it listens unless its Hello says otherwise
 * @param epoch the controller's own incarnation
 * @param pid its process id
 * @param rankTimeoutNs a rank without heartbeat for this long is dead
 * @param noRankTimeoutNs how long a request waits while no rank is live
 */
public record ControllerConfig(
        int dpSize,
        int legacyRanks,
        List<String> workerPullEndpoints,
        long epoch,
        long pid,
        long rankTimeoutNs,
        long noRankTimeoutNs,
        Limits limits) {

    /**
     * What keeps an overload from filling memory.
     *
     * @param rankCredit most requests in flight on one rank; those beyond it wait here
     * @param queueBytes most bytes of requests that wait here for a rank
     */
    public record Limits(int rankCredit, long queueBytes) {
        /** Twice SGLang's default of 2,048 running requests: a full batch, and as many behind it. */
        public static final int DEFAULT_RANK_CREDIT = 4096;

        /** 256 MiB: fifty thousand requests of a thousand prompt tokens. */
        public static final long DEFAULT_QUEUE_BYTES = 256L << 20;

        /** The defaults. */
        public static final Limits DEFAULT = new Limits(DEFAULT_RANK_CREDIT, DEFAULT_QUEUE_BYTES);
    }

    public ControllerConfig {
        workerPullEndpoints = List.copyOf(workerPullEndpoints);
    }
}
