package dpserve.tokenizer;

/** A request that cannot be served as it is. The message is for the client and names the field and its limit. */
public final class BadRequest extends Exception {
    private static final long serialVersionUID = 1L;

    private final String param;

    /**
     * @param param the field, or null where none is to blame
     * @param message for the client
     */
    public BadRequest(String param, String message) {
        super(message, null, false, false);
        this.param = param;
    }

    /** The field, or null. */
    public String param() {
        return param;
    }
}
