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
        implements Message {}
