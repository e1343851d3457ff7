package dpserve.controller.process;

import dpserve.controller.decision.DecisionCodec;
import dpserve.controller.decision.DecisionEntry;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The decision record as a file ({@code --decision-log}). The controller's thread makes a snapshot and goes on; another
 * encodes and writes. What the writer cannot keep up with, and what exceeds the size limit, is dropped and counted.
 */
final class DecisionLog implements Consumer<DecisionEntry>, AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(DecisionLog.class);

    /** About a second of entries at the highest rate a controller reaches. */
    private static final int QUEUE = 1 << 16;

    private static final long WAKE_MS = 200;

    private record Numbered(long number, DecisionEntry entry) {}

    private final ArrayBlockingQueue<Numbered> queue = new ArrayBlockingQueue<>(QUEUE);
    private final AtomicLong dropped = new AtomicLong();
    private final OutputStream out;
    private final Thread writer = new Thread(this::write, "decision-log");
    private final long maxBytes;
    private long number;
    private long bytes;
    private volatile boolean closing;

    /**
     * @param file replaced if it is there
     * @throws IllegalArgumentException if it cannot be written
     */
    DecisionLog(Path file, long maxBytes) {
        this.maxBytes = maxBytes;
        try {
            out = new BufferedOutputStream(Files.newOutputStream(file), 1 << 16);
        } catch (IOException e) {
            throw new IllegalArgumentException("--decision-log: cannot write " + file);
        }
        writer.setDaemon(true);
        writer.start();
    }

    /** Takes an entry; never waits. */
    @Override
    public void accept(DecisionEntry entry) {
        if (!queue.offer(new Numbered(number++, entry))) {
            dropped.incrementAndGet();
        }
    }

    private void write() {
        DecisionCodec codec = new DecisionCodec();
        try (out) {
            put(codec.header());
            while (!closing || !queue.isEmpty()) {
                Numbered next = queue.poll(WAKE_MS, TimeUnit.MILLISECONDS);
                if (next == null) {
                    out.flush();
                } else {
                    put(codec.encode(next.number(), next.entry()));
                }
            }
        } catch (IOException e) {
            LOG.warn("the decision log ends here: {}", e.getMessage());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void put(byte[] entry) throws IOException {
        if (bytes + entry.length > maxBytes) {
            if (dropped.getAndIncrement() == 0) {
                LOG.warn("the decision log is full, see --decision-log-max-mb");
            }
            return;
        }
        bytes += entry.length;
        out.write(entry);
    }

    @Override
    public void close() {
        closing = true;
        try {
            writer.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        if (dropped.get() > 0) {
            LOG.warn("{} entries are missing in the decision log", dropped.get());
        }
    }
}
