package dpserve.bench.fuzz;

import java.io.IOException;
import java.io.InputStream;
import java.net.InetSocketAddress;
import java.net.Socket;

/** Sends bytes to an HTTP server, each on a connection of its own, and looks at what comes back. */
public final class HttpShooter {
    private static final int CONNECT_MS = 5_000;

    /** A server may wait for the rest of what looks like half a request. */
    private static final int READ_MS = 50;

    private final InetSocketAddress server;
    private final byte[] buffer = new byte[16 << 10];
    private final long[] byClass = new long[6];

    public HttpShooter(String host, int port) {
        server = new InetSocketAddress(host, port);
    }

    /**
     * Sends one and reads until the server says no more for a moment.
     *
     * @throws IOException if the server cannot be reached at all
     */
    public void shoot(byte[] bytes) throws IOException {
        try (Socket socket = new Socket()) {
            socket.setTcpNoDelay(true);
            socket.setSoTimeout(READ_MS);
            socket.connect(server, CONNECT_MS);
            try {
                socket.getOutputStream().write(bytes);
                socket.shutdownOutput();
                byClass[read(socket.getInputStream())]++;
            } catch (IOException e) {
                // Cut or let wait: both are answers to what is no request.
                byClass[0]++;
            }
        }
    }

    /** The class of the first status (4 for 404), 0 for none. */
    private int read(InputStream in) throws IOException {
        int n = in.read(buffer);
        int status = 0;
        // HTTP/1.1 404
        if (n > 9 && buffer[0] == 'H' && buffer[9] >= '1' && buffer[9] <= '5') {
            status = buffer[9] - '0';
        }
        while (n >= 0) {
            n = in.read(buffer);
        }
        return status;
    }

    /** Replies by class of their status; at 0 those without one. */
    public long[] replies() {
        return byClass.clone();
    }
}
