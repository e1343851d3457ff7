package dpserve.bench.process;

import com.fasterxml.jackson.databind.JsonNode;
import dpserve.bench.client.ControlCalls;
import java.net.URI;
import java.util.Map;
import java.util.function.Consumer;

/** Asks a server for its ranks' loads, again and again, from a thread of its own, until stopped. */
final class LoadSampler {
    private final ControlCalls calls;
    private final long periodMs;
    private final Consumer<JsonNode> sink;
    private final Thread thread = new Thread(this::run, "load-sampler");
    private volatile boolean stopped;

    /** @param sink takes each answer, on the sampler's thread; safe to read once this is stopped */
    LoadSampler(URI base, long periodMs, Consumer<JsonNode> sink) {
        this.calls = new ControlCalls(base, Map.of());
        this.periodMs = periodMs;
        this.sink = sink;
        thread.setDaemon(true);
        thread.start();
    }

    private void run() {
        try {
            while (!stopped) {
                JsonNode loads = calls.loads();
                if (loads != null) { // else a missed sample; the run itself reports a server that is gone
                    sink.accept(loads);
                }
                Thread.sleep(periodMs);
            }
        } catch (InterruptedException e) {
            // stopped
        }
    }

    void stop() throws InterruptedException {
        stopped = true;
        thread.interrupt();
        thread.join();
    }
}
