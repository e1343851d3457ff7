package dpserve.io.message;

/**
 * Where a rank stands by an operator's wish: the controller's answer to {@link DrainRank}, and, without rid and after each
 * change, its word to every tokenizer worker.
 *
 * @param error what was wrong with the call, which then changed nothing; "" if it was done
 * @param state {@link #UP}, {@link #DRAINING}, {@link #DRAINED}, {@link #REMOVED}, or after an error any state's name
 * @param inFlightRequests sent to it and not ended
 */
public record RankStatus(
        String rid, String httpWorkerIpc, String error, int dpRank, String state, long inFlightRequests)
        implements Message {
    /** Takes requests. */
    public static final String UP = "up";

    /** Takes no new requests and has some. */
    public static final String DRAINING = "draining";

    /** Takes no new requests and has none. */
    public static final String DRAINED = "drained";

    /** No part of the topology any more. */
    public static final String REMOVED = "removed";
}
