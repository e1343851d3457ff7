package dpserve.bench.sim;

import java.util.Arrays;

/**
 * Virtual time: events run in the order of their times, those of equal time in the order in which they were added. A
 * binary heap over primitive arrays, because a run has tens of millions of events.
 */
final class EventQueue {
    private long[] times = new long[1024];
    private long[] sequences = new long[1024];
    private Runnable[] events = new Runnable[1024];
    private int size;
    private long nextSequence;
    private long nowNs;

    /** The time of the event that runs, nanoseconds from the start of the run. */
    long nowNs() {
        return nowNs;
    }

    /** Runs an event later; a delay of 0 puts it behind everything that is due now. */
    void after(long delayNs, Runnable event) {
        at(nowNs + delayNs, event);
    }

    /** Runs an event at a time that is not past. */
    void at(long timeNs, Runnable event) {
        if (timeNs < nowNs) {
            throw new IllegalArgumentException("an event cannot lie in the past");
        }
        if (size == times.length) {
            times = Arrays.copyOf(times, size * 2);
            sequences = Arrays.copyOf(sequences, size * 2);
            events = Arrays.copyOf(events, size * 2);
        }
        int i = size++;
        long sequence = nextSequence++;
        while (i > 0) {
            int parent = (i - 1) >>> 1;
            // A parent of equal time was added before, so it stays above.
            if (times[parent] <= timeNs) {
                break;
            }
            move(parent, i);
            i = parent;
        }
        put(i, timeNs, sequence, event);
    }

    /** Runs the next event; false if there is none. */
    boolean runNext() {
        if (size == 0) {
            return false;
        }
        nowNs = times[0];
        Runnable event = events[0];
        size--;
        long time = times[size];
        long sequence = sequences[size];
        Runnable last = events[size];
        events[size] = null;
        if (size > 0) {
            int i = 0;
            int child = 1;
            while (child < size) {
                if (child + 1 < size && before(child + 1, child)) {
                    child++;
                }
                if (time < times[child] || time == times[child] && sequence < sequences[child]) {
                    break;
                }
                move(child, i);
                i = child;
                child = 2 * i + 1;
            }
            put(i, time, sequence, last);
        }
        event.run();
        return true;
    }

    private boolean before(int a, int b) {
        return times[a] < times[b] || times[a] == times[b] && sequences[a] < sequences[b];
    }

    private void move(int from, int to) {
        put(to, times[from], sequences[from], events[from]);
    }

    private void put(int i, long time, long sequence, Runnable event) {
        times[i] = time;
        sequences[i] = sequence;
        events[i] = event;
    }
}
