package dpserve.io.socket;

/** An endpoint could not be bound, nearly always because its port is in use. The message is fit for a user. */
public final class BindException extends Exception {
    private static final long serialVersionUID = 1L;

    BindException(String endpoint, Throwable cause) {
        super("cannot listen on " + endpoint + ": " + cause.getMessage() + " (is the port in use?)", cause);
    }
}
