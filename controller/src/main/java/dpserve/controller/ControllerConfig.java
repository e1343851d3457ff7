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
        long noRankTimeoutNs) {

    public ControllerConfig {
        workerPullEndpoints = List.copyOf(workerPullEndpoints);
    }
}
