package dpserve.controller.process;

import dpserve.controller.decision.DecisionCodec;
import dpserve.controller.decision.DecisionEntry;
import dpserve.io.LogLimiter;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The decision record as a file ({@code --decision-log}). The controller's thread makes a snapshot and goes on; another
 * encodes and writes. What the writer cannot keep up with, what exceeds the size limit, and what comes when it cannot write any more, is
 * dropped and counted.
 */
final class DecisionLog implements Consumer<DecisionEntry>, AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(DecisionLog.class);

    /** Figures of ranks that may wait to be written: about 30 MiB, a second of decisions about four ranks at full rate. */
    private static final int QUEUED_RANKS = 1 << 18;

    /** Entries that may wait even with very many ranks. */
    private static final int MIN_QUEUE = 256;

    private static final long WAKE_MS = 200;

    private record Numbered(long number, DecisionEntry entry) {}

    private final ArrayBlockingQueue<Numbered> queue;
    private final LogLimiter limiter;
    private final OutputStream out;
    private final Thread writer = new Thread(this::write, "decision-log");
    private final long maxBytes;
    private long number;
    private long bytes;
    private volatile boolean closing;

    /** Whether the writer is gone, as after an error: nothing would ever take what is put in the queue. */
    private volatile boolean ended;

    /**
     * @param file replaced if it is there
     * @param ranks number of ranks whose figures an entry holds
     * @param limiter counts what was dropped, by its cause
     * @throws IllegalArgumentException if it cannot be written
     */
    DecisionLog(Path file, long maxBytes, int ranks, LogLimiter limiter) {
        this(open(file), maxBytes, ranks, limiter);
    }

    /** As above, into a stream of the caller's, which is closed at the end. */
    DecisionLog(OutputStream out, long maxBytes, int ranks, LogLimiter limiter) {
        this.out = out;
        this.maxBytes = maxBytes;
        this.limiter = limiter;
        this.queue = new ArrayBlockingQueue<>(Math.max(MIN_QUEUE, QUEUED_RANKS / ranks));
        writer.setDaemon(true);
        writer.start();
    }

    private static OutputStream open(Path file) {
        try {
            return new BufferedOutputStream(Files.newOutputStream(file), 1 << 16);
        } catch (IOException e) {
            throw new IllegalArgumentException("--decision-log: cannot write " + file);
        }
    }

    /** Takes an entry; never waits. */
    @Override
    public void accept(DecisionEntry entry) {
        if (!queue.offer(new Numbered(number++, entry))) {
            limiter.warn("decision_log_behind", "an entry of the decision log: its writer does not keep up");
        }
        if (ended) {
            dropWaiting();
        }
    }

    private void dropWaiting() {
        while (queue.poll() != null) {
            limiter.warn("decision_log_ended", "an entry of the decision log: its writer has ended");
        }
    }

    /** Entries that wait to be written. */
    int waiting() {
        return queue.size();
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
        } finally {
            ended = true;
            dropWaiting();
        }
    }

    private void put(byte[] entry) throws IOException {
        if (bytes + entry.length > maxBytes) {
            limiter.warn("decision_log_full", "an entry of the decision log, see --decision-log-max-mb");
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
    }
}
