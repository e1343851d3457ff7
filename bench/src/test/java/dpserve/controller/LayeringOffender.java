package dpserve.controller;

import java.net.Socket;
import java.util.Random;

/** Does everything that a core must not do: shows that LayeringTest would notice. Never used. */
public final class LayeringOffender {
    private Socket socket;
    private Thread thread;

    public long breakTheRules() {
        thread = new Thread(() -> socket = new Socket());
        return System.nanoTime() + new Random().nextInt() + thread.hashCode();
    }
}
