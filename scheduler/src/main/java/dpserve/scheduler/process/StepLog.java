package dpserve.scheduler.process;

import dpserve.scheduler.Scheduler;
import java.io.BufferedWriter;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What a rank held at the end of each step, one CSV line each: made for the study of balance, where a sample every now and
 * then would miss the peaks. Costs a few microseconds a step. A disk that fails ends the log, never the rank.
 */
final class StepLog implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(StepLog.class);
    private static final double NS_PER_MS = 1e6;

    /** Columns: end of the step in seconds since the epoch, wall and modelled length, and what was held then. */
    static final String HEADER =
            "step,end_s,wall_ms,modelled_ms,own_ms,num_running_reqs,num_waiting_reqs,num_tokens,num_used_tokens\n";

    private BufferedWriter out;

    /**
     * @param folder made if need be; the file is {@code steps-<dp_rank>.csv}, replaced if it is there
     * @throws IllegalArgumentException if it cannot be written
     */
    StepLog(Path folder, int dpRank) {
        Path file = folder.resolve("steps-" + dpRank + ".csv");
        try {
            Files.createDirectories(folder);
            out = Files.newBufferedWriter(file, StandardCharsets.US_ASCII);
            out.write(HEADER);
        } catch (IOException e) {
            throw new IllegalArgumentException("--step-log: cannot write " + file);
        }
    }

    /**
     * A step has ended.
     *
     * @param wallNs what it took
     * @param modelledNs what the model says it takes, for all ranks together if they step together
     * @param ownNs the part of this rank
     */
    void ended(long step, long endEpochMs, long wallNs, long modelledNs, long ownNs, Scheduler scheduler) {
        write(String.format(
                Locale.ROOT,
                "%d,%.3f,%.3f,%.3f,%.3f,%d,%d,%d,%d%n",
                step,
                endEpochMs / 1e3,
                wallNs / NS_PER_MS,
                modelledNs / NS_PER_MS,
                ownNs / NS_PER_MS,
                scheduler.running(),
                scheduler.waiting(),
                scheduler.tokensHeld(),
                scheduler.kvUsed()));
    }

    private void write(String line) {
        if (out == null) {
            return;
        }
        try {
            out.write(line);
        } catch (IOException e) {
            LOG.warn("the step log ends here: {}", e.getMessage());
            out = null;
        }
    }

    /** Makes readable what was written so far; for idle moments. */
    void flush() {
        if (out == null) {
            return;
        }
        try {
            out.flush();
        } catch (IOException e) {
            LOG.warn("the step log ends here: {}", e.getMessage());
            out = null;
        }
    }

    @Override
    public void close() {
        flush();
        if (out != null) {
            try {
                out.close();
            } catch (IOException e) {
                LOG.warn("the step log may be cut off: {}", e.getMessage());
            }
        }
    }
}
