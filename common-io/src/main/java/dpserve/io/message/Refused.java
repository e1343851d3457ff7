package dpserve.io.message;

/**
 * Controller to the owning tokenizer worker: this attempt reached no rank and never will.
 *
 * @param rid the wire rid
 * @param status HTTP status for the client: 400, 429 or 503
 * @param reason in words
 */
public record Refused(String rid, int status, String reason) implements Message {}
