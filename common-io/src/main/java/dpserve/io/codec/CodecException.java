package dpserve.io.codec;

/**
 * A frame that is not a message of this protocol. The frame is dropped and counted; it never ends a process. The message
 * text names the field and never quotes content, so log lines cannot be forged by it.
 */
public final class CodecException extends Exception {
    private static final long serialVersionUID = 1L;

    /** What was wrong, for counters and rate-limited log lines. */
    public enum Kind {
        /** The first element names no known message. */
        UNKNOWN_TAG,
        /** The bytes end before the value does, or a header announces more elements than bytes remain. */
        TRUNCATED,
        /** A field has another type, or is nil where a value is required, or parallel arrays differ in length. */
        WRONG_TYPE,
        /** A frame, text or array is longer than its limit. */
        TOO_LONG,
        /** Values are nested deeper than allowed. */
        TOO_DEEP,
        /** The type is right and the value is not, such as a negative rank. */
        BAD_VALUE
    }

    private final Kind kind;

    /**
     * @param kind for counters
     * @param detail in words, naming tag and field
     */
    public CodecException(Kind kind, String detail) {
        super(kind + ": " + detail, null, false, false);
        this.kind = kind;
    }

    /** What was wrong. */
    public Kind kind() {
        return kind;
    }
}
