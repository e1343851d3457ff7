package dpserve.io.message;

/**
 * A rank is alive: sent from a thread and socket of its own, so a long step does not look like death.
 *
 * @param dpRank the rank
 * @param incarnation its incarnation
 * @param inputEndpoint where this incarnation takes requests
 * @param step number of engine steps finished
 * @param heldCount number of wire rids held
 * @param heldHash XOR of {@link dpserve.io.WireRid#hash64} over them; compared with the controller's own
 * @param load the newest load, or null while starting
 */
public record Heartbeat(
        int dpRank,
        long incarnation,
        String inputEndpoint,
        long step,
        int heldCount,
        long heldHash,
        GetLoadReqOutput load)
        implements Message {

    /**
     * Whether another one of this rank, or null, says the same, its load being the same object. The first call of a record's own equals makes
     * two dozen classes, and every rank would do it at its start.
     */
    public boolean isSame(Heartbeat other) {
        return other != null
                && load == other.load
                && incarnation == other.incarnation
                && inputEndpoint.equals(other.inputEndpoint)
                && step == other.step
                && heldCount == other.heldCount
                && heldHash == other.heldHash;
    }
}
