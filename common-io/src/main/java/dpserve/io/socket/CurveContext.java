package dpserve.io.socket;

import org.zeromq.ZAuth;
import org.zeromq.ZContext;

/** A context whose sockets encrypt, and take and seek only peers that hold the same key pair. */
final class CurveContext extends ZContext {
    private final CurveKeys keys;
    private ZAuth auth;

    CurveContext(CurveKeys keys) {
        this.keys = keys;
    }

    /** Begins to look at who connects; a handler for exceptions must be set before. */
    void start() {
        // Without it a CURVE socket would take everybody who knows its public key.
        auth = new ZAuth(this);
        auth.configureCurve(keys.folder().toString());
    }

    CurveKeys keys() {
        return keys;
    }

    @Override
    public void close() {
        if (auth != null) {
            auth.close();
        }
        super.close();
    }
}
