package dpserve.io.socket;

import org.zeromq.ZMQException;
import zmq.ZError;

/** An endpoint could not be bound, nearly always because its port is in use. The message is fit for a user. */
public final class BindException extends Exception {
    private static final long serialVersionUID = 1L;

    BindException(String endpoint, ZMQException cause) {
        super("cannot listen on " + endpoint + ": " + reason(cause), cause);
    }

    private static String reason(ZMQException cause) {
        return cause.getErrorCode() == ZError.EADDRINUSE ? "the port is in use" : cause.getMessage();
    }
}
