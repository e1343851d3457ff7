package dpserve.io.message;

/**
 * Tokenizer worker to controller: what an operator wants with a rank. The controller answers with {@link RankStatus}, and
 * tells drain and undrain to the rank, which says so in its next Hello.
 *
 * @param action {@link #DRAIN}, {@link #UNDRAIN} or {@link #FORGET}
 */
public record DrainRank(String rid, String httpWorkerIpc, int dpRank, String action) implements Message {
    /** No new requests; what it has it finishes. */
    public static final String DRAIN = "drain";

    /** New requests again. */
    public static final String UNDRAIN = "undrain";

    /** The rank is no part of the topology any more, until an incarnation registers. What it still has goes on elsewhere. */
    public static final String FORGET = "forget";
}
