package dpserve.it;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.util.concurrent.ThreadLocalRandom;

/** HTTP ports whose default endpoints are free as well. */
final class Ports {
    /** Below the range the kernel draws client ports from, so that a port found free stays free. */
    private static final int FIRST = 20_000;

    private static final int LAST = 29_000;
    private static final int PORT_DELTA = 234;
    private static final int FIXED_ENDPOINTS = 20;
    private static final int TRIES = 200;

    private Ports() {}

    /** An HTTP port that nobody uses, nor the endpoints above it. */
    static int free() {
        for (int i = 0; i < TRIES; i++) {
            int port = ThreadLocalRandom.current().nextInt(FIRST, LAST);
            if (isFree(port) && allFree(port + PORT_DELTA, FIXED_ENDPOINTS) && allFree(port + PORT_DELTA + 100, 4)) {
                return port;
            }
        }
        throw new IllegalStateException("no free ports between " + FIRST + " and " + LAST);
    }

    private static boolean allFree(int first, int count) {
        for (int port = first; port < first + count; port++) {
            if (!isFree(port)) {
                return false;
            }
        }
        return true;
    }

    private static boolean isFree(int port) {
        try (ServerSocket socket = new ServerSocket()) {
            socket.setReuseAddress(false);
            socket.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
            return true;
        } catch (IOException e) {
            return false;
        }
    }
}
