package dpserve.io.socket;

import java.nio.channels.ClosedChannelException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.zeromq.ZContext;
import org.zeromq.ZMQ;
import zmq.ZError;

/** Makes the context that all sockets of a process share. */
public final class Contexts {
    private static final Logger LOG = LoggerFactory.getLogger(Contexts.class);

    private Contexts() {}

    /**
     * A context whose background threads report through the log.
     *
     * <p>JeroMQ's own report of a failed wake-up is left out: while a socket closes, another thread may hand it a command
     * and then ring a bell that is gone, because the closing side took the command without waiting for the bell. The
     * command was taken, so nothing is lost.
     */
    public static ZContext create() {
        return create(null);
    }

    /**
     * As {@link #create()}, with all connections encrypted and authenticated.
     *
     * @param keys the topology's, or null for neither
     */
    public static ZContext create(CurveKeys keys) {
        ZContext context = keys == null ? new ZContext() : new CurveContext(keys);
        context.setNotificationExceptionHandler((thread, e) -> {
            if (!isLateWakeUp(e)) {
                LOG.error("in the messaging thread {}", thread.getName(), e);
            }
        });
        if (context instanceof CurveContext curve) {
            curve.start();
        }
        return context;
    }

    /** To be called before a socket binds. */
    static void secureServer(ZContext context, ZMQ.Socket socket) {
        if (context instanceof CurveContext curve) {
            curve.keys().asServer(socket);
        }
    }

    /** To be called before a socket connects. */
    static void secureClient(ZContext context, ZMQ.Socket socket) {
        if (context instanceof CurveContext curve) {
            curve.keys().asClient(socket);
        }
    }

    static boolean isLateWakeUp(Throwable e) {
        return e instanceof ZError.IOException
                && e.getCause() instanceof ClosedChannelException
                && e.getStackTrace().length > 0
                && e.getStackTrace()[0].getClassName().equals("zmq.Signaler");
    }
}
