package dpserve.io.message;

/**
 * Controller to the owning tokenizer worker: this attempt reached no rank and never will.
 *
 * @param rid the wire rid
 * @param status HTTP status for the client: 400, 429 or 503
 * @param reason in words
 */
public record Refused(String rid, int status, String reason) implements Message {
    /** Part of the reason where the one rank that a bootstrap_room stands for takes nothing: a PD router tries another room. */
    public static final String ROOM_UNAVAILABLE = "the rank this request must go to takes none now";
}
