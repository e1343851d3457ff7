package dpserve.tokenizer.process;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;

/** Free ports for a worker and the endpoints above it. */
final class TestPorts {
    /** The default endpoints of a higher one would lie past the last port. */
    private static final int LAST = 60_000;

    private TestPorts() {}

    static int free() throws IOException {
        int port;
        do {
            try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
                port = socket.getLocalPort();
            }
        } while (port > LAST);
        return port;
    }
}
