package dpserve.io;

import java.util.HashMap;
import java.util.Map;
import org.slf4j.Logger;

/**
 * Counts events by kind and logs at most one line a second for each. The line says how many were passed over. Safe for
 * several threads.
 */
public final class LogLimiter {
    private static final long INTERVAL_NS = 1_000_000_000L;

    private final Logger log;
    private final Map<String, Counter> counters = new HashMap<>();

    /** @param log where the lines go, at warn level */
    public LogLimiter(Logger log) {
        this.log = log;
    }

    /**
     * Counts one event, and logs it unless its kind was logged within the last second.
     *
     * @param kind a name from a small fixed set, never from outside: each kind is kept for ever
     * @param detail in words; control characters are replaced so that a peer cannot forge a log line
     */
    public void warn(String kind, String detail) {
        long passedOver;
        synchronized (this) {
            Counter c = counters.computeIfAbsent(kind, k -> new Counter());
            long now = System.nanoTime();
            c.total++;
            if (c.logged && now - c.lastNs < INTERVAL_NS) {
                c.passedOver++;
                return;
            }
            c.logged = true;
            c.lastNs = now;
            passedOver = c.passedOver;
            c.passedOver = 0;
        }
        log.warn("{}: {}{}", kind, printable(detail), passedOver == 0 ? "" : " (and " + passedOver + " more)");
    }

    /** Events of each kind so far. */
    public synchronized Map<String, Long> totals() {
        Map<String, Long> totals = new HashMap<>();
        counters.forEach((kind, c) -> totals.put(kind, c.total));
        return totals;
    }

    /** The text with control characters as '?' and at most 300 characters. */
    public static String printable(String text) {
        StringBuilder b = new StringBuilder();
        for (int i = 0; i < text.length() && i < 300; i++) {
            char ch = text.charAt(i);
            b.append(Character.isISOControl(ch) || ch == '\u2028' || ch == '\u2029' ? '?' : ch);
        }
        return b.toString();
    }

    private static final class Counter {
        private boolean logged;
        private long lastNs;
        private long total;
        private long passedOver;
    }
}
