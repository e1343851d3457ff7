package dpserve.bench.sim;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Locale;

/**
 * What happened, event by event. Always hashed, written out only when asked: two runs with equal hashes went the same
 * way to the nanosecond.
 */
public final class EventLog {
    /** Kinds of event; the text form is the lower-case name. */
    enum Kind {
        SENT,
        RECEIVED,
        ENDED,
        FAILED,
        REPORT_APPLIED,
        RANK_KILLED,
        RANK_UP,
        RANK_PAUSED,
        RANK_RESUMED,
        RANK_DRAINED,
        CONTROLLER_KILLED,
        CONTROLLER_UP,
        MESSAGE_LOST
    }

    private static final int RECORD_BYTES = 1 + 8 + 8 + 4;

    private final MessageDigest digest;
    private final ByteBuffer buffer = ByteBuffer.allocate(RECORD_BYTES * 4096);
    private final Writer text;
    private long events;

    /** @param text where lines go, or null */
    public EventLog(Writer text) {
        this.text = text;
        try {
            digest = MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JVM has SHA-256", e);
        }
    }

    /**
     * @param subject number of the request, or of the report
     * @param rank the rank concerned, -1 without one
     */
    void add(Kind kind, long timeNs, long subject, int rank) {
        events++;
        if (buffer.remaining() < RECORD_BYTES) {
            drain();
        }
        buffer.put((byte) kind.ordinal()).putLong(timeNs).putLong(subject).putInt(rank);
        if (text != null) {
            try {
                text.write(timeNs + " " + kind.name().toLowerCase(Locale.ROOT) + " " + subject + " " + rank + "\n");
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }

    private void drain() {
        digest.update(buffer.array(), 0, buffer.position());
        buffer.clear();
    }

    /** SHA-256 of all events, hexadecimal; ends the log. */
    String hash() {
        drain();
        return HexFormat.of().formatHex(digest.digest());
    }

    long events() {
        return events;
    }
}
