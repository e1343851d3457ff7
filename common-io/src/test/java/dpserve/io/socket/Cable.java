package dpserve.io.socket;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.ArrayList;
import java.util.List;

/** TCP connections to a server on this host that can go dead as those over a pulled cable do: nobody is told. */
final class Cable implements AutoCloseable {
    private static final int BUFFER_BYTES = 1 << 16;

    private final ServerSocket listening;
    private final int target;
    private final List<Socket> sockets = new ArrayList<>();
    private int connections;

    /** Counts the cuts: a connection from before the last one is dead. */
    private volatile int cuts;

    private boolean refusing;

    /** @param endpoint of the server, tcp://127.0.0.1:PORT */
    Cable(String endpoint) throws IOException {
        target = Integer.parseInt(endpoint.substring(endpoint.lastIndexOf(':') + 1));
        listening = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
        daemon(this::accept);
    }

    String endpoint() {
        return "tcp://127.0.0.1:" + listening.getLocalPort();
    }

    /** How many connections there were. */
    synchronized int connections() {
        return connections;
    }

    /** All connections there are carry nothing any more, and stay open; new ones are closed at once. */
    synchronized void cut() {
        cuts++;
        refusing = true;
    }

    /** New connections are carried again. */
    synchronized void mend() {
        refusing = false;
    }

    private void accept() {
        while (!listening.isClosed()) {
            try {
                carry(listening.accept());
            } catch (IOException e) {
                // The end, or a server that is gone: the next one may be there.
            }
        }
    }

    private synchronized void carry(Socket from) throws IOException {
        if (refusing) {
            from.close();
            return;
        }
        Socket to = new Socket(InetAddress.getLoopbackAddress(), target);
        connections++;
        sockets.add(from);
        sockets.add(to);
        int born = cuts;
        daemon(() -> copy(from, to, born));
        daemon(() -> copy(to, from, born));
    }

    private void copy(Socket from, Socket to, int born) {
        byte[] buffer = new byte[BUFFER_BYTES];
        try {
            InputStream in = from.getInputStream();
            OutputStream out = to.getOutputStream();
            for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
                if (born == cuts) {
                    out.write(buffer, 0, n);
                }
            }
            if (born == cuts) {
                to.close();
            }
        } catch (IOException e) {
            // Closed by the test.
        }
    }

    private static void daemon(Runnable work) {
        Thread thread = new Thread(work, "cable");
        thread.setDaemon(true);
        thread.start();
    }

    @Override
    public synchronized void close() throws IOException {
        listening.close();
        for (Socket socket : sockets) {
            socket.close();
        }
    }
}
