package dpserve.controller.process;

import dpserve.io.socket.PushSocket;
import java.util.ArrayDeque;

/**
 * What one turn has for one rank: handed to the rank's socket together, at the end of the turn. JeroMQ's I/O thread is woken for
 * the first message that a socket gets while it has none; one by one it would be woken far more often and write
 * as many small pieces.
 *
 * <p>What the socket does not take stays here, in its order, and the queue is full when there are some turns' worth of it.
 */
final class RankQueue implements AutoCloseable {

    /** Some turns: a queue that holds this much after a flush belongs to a rank that reads nothing. */
    private static final int MAX_WAITING = 1024;

    private final PushSocket socket;
    private final ArrayDeque<byte[]> waiting = new ArrayDeque<>();

    RankQueue(PushSocket socket) {
        this.socket = socket;
    }

    /** @return false if the queue is full or nobody is there; the frame was not taken */
    boolean add(byte[] frame) {
        if (waiting.isEmpty() && !socket.hasPeer()) { // of those behind the first the flush finds out
            return false;
        }
        if (waiting.size() >= MAX_WAITING) {
            flush();
            if (waiting.size() >= MAX_WAITING) {
                return false;
            }
        }
        return waiting.add(frame);
    }

    /** Hands over what the socket takes. What waits for a peer that has left is thrown away, as the socket's own queue is. */
    void flush() {
        if (!socket.hasPeer()) {
            waiting.clear();
        }
        while (!waiting.isEmpty() && socket.send(waiting.peek())) {
            waiting.poll();
        }
    }

    boolean isEmpty() {
        return waiting.isEmpty();
    }

    boolean isWritable() {
        return waiting.size() < MAX_WAITING && socket.isWritable();
    }

    /** For a peer that is gone: what is queued is thrown away. */
    void closeNow() {
        socket.closeNow();
    }

    /** The peer still gets what is queued. */
    @Override
    public void close() {
        flush();
        socket.close();
    }
}
