package dpserve.io.socket;

/**
 * Bounds of one socket.
 *
 * @param queueMessages most frames queued in either direction (ZeroMQ's high-water mark)
 * @param maxFrameBytes longest frame accepted; a longer one costs the peer its connection
 * @param lingerMs how long a closing PUSH tries to hand over what is queued
 */
public record SocketLimits(int queueMessages, long maxFrameBytes, int lingerMs) {

    /** 100,000 frames: seconds of the busiest stream. What is large and comes often needs a bound in bytes beside it, as {@link Outbox} has. */
    public static final int DEFAULT_QUEUE_MESSAGES = 100_000;

    /** 64 MiB: a prompt of a million tokens takes 8 MiB. */
    public static final long DEFAULT_MAX_FRAME_BYTES = 64L << 20;

    /** 1 s: enough for what is queued over loopback, short enough for a prompt exit. */
    public static final int DEFAULT_LINGER_MS = 1000;

    /**
     * Time a connecting socket gives the handshake before it connects anew. JeroMQ 0.6.0 loses 2 to 5 % of fresh
     * connections: TCP connects and the connecting side then never reads or writes (its issue tracker, #1022). Its own
     * limit of 30 s would look like a dead peer. 500 ms is far above a handshake's time even on a busy machine, and below
     * the rank timeout, so that a heartbeat held up by it does not look like a death.
     */
    static final int HANDSHAKE_MS = 500;

    /** The limits used unless a flag says otherwise. */
    public static SocketLimits defaults() {
        return new SocketLimits(DEFAULT_QUEUE_MESSAGES, DEFAULT_MAX_FRAME_BYTES, DEFAULT_LINGER_MS);
    }

    /** The same with another {@link #queueMessages}. */
    public SocketLimits withQueue(int messages) {
        return new SocketLimits(messages, maxFrameBytes, lingerMs);
    }
}
