package dpserve.io.message;

/**
 * Why an output ended, as in SGLang's {@code finished_reasons}: a map with {@code type} and fields that depend on it.
 */
public sealed interface FinishReason {

    /** The value of {@code type} on the wire and in HTTP replies: {@code stop}, {@code length} or {@code abort}. */
    String type();

    /** A stop token or EOS was produced: {@code {"type":"stop","matched":<token id>}}. */
    record StopToken(int matched) implements FinishReason {
        @Override
        public String type() {
            return "stop";
        }
    }

    /** A stop string was produced: {@code {"type":"stop","matched":<string>}}. */
    record StopString(String matched) implements FinishReason {
        @Override
        public String type() {
            return "stop";
        }
    }

    /** {@code max_new_tokens} was reached: {@code {"type":"length","length":<tokens>}}. */
    record Length(int length) implements FinishReason {
        @Override
        public String type() {
            return "length";
        }
    }

    /**
     * The request was ended before its time: {@code {"type":"abort","message","status_code","err_type"}}.
     *
     * @param statusCode the HTTP status a client should see, or null where none was given
     * @param errType the class of the error in SGLang's words, or null
     */
    record Abort(String message, Integer statusCode, String errType) implements FinishReason {
        @Override
        public String type() {
            return "abort";
        }
    }
}
