package dpserve.io.socket;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;

/**
 * What several peers have not taken yet, in order for each, with one bound in bytes for all of them. JeroMQ bounds a queue in frames only:
 * so many that an ordinary burst finds room are gigabytes when they are the outputs of full batches, and a peer that
 * stands still would end the process that everybody else needs. Single-threaded, never waits.
 */
public final class Outbox {
    /** 192 MiB: three eighths of the 512 MB that a rank and a detokenizer have, and 3,500 frames of 500 rows. */
    public static final long DEFAULT_MAX_BYTES = 192L << 20;

    /**
     * For the sockets behind it: frames that JeroMQ may keep of its own for each peer, which are not counted here. A row of output takes about 115 bytes, so
     * 15 MB with 500 rows a frame; enough that its I/O thread always has something to write.
     */
    public static final int SOCKET_QUEUE_MESSAGES = 250;

    private record Peer(Predicate<byte[]> socket, ArrayDeque<byte[]> frames) {}

    private final List<Peer> peers = new ArrayList<>();
    private final long maxBytes;
    private long bytes;

    /** @param maxBytes that may wait here for all peers together */
    public Outbox(long maxBytes) {
        this.maxBytes = maxBytes;
    }

    /**
     * Adds a peer.
     *
     * @param socket takes a frame or says false; owned by the thread that uses this
     * @return its number, from 0
     */
    public int add(Predicate<byte[]> socket) {
        peers.add(new Peer(socket, new ArrayDeque<>()));
        return peers.size() - 1;
    }

    /**
     * Hands over what waits, as {@link #flush} does, and then this frame, after those that still wait for the same peer.
     *
     * @param frame handed over: never change it afterwards
     * @return false if there is no room for it; then it was not taken, and what was taken before still arrives
     */
    public boolean send(int peer, byte[] frame) {
        flush();
        Peer to = peers.get(peer);
        if (to.frames.isEmpty() && to.socket.test(frame)) {
            return true;
        }
        if (bytes + frame.length > maxBytes) {
            return false;
        }
        to.frames.add(frame);
        bytes += frame.length;
        return true;
    }

    /**
     * Hands over what the sockets take now: to be called every few milliseconds while something waits and nothing is sent.
     *
     * @return whether nothing waits any more
     */
    public boolean flush() {
        if (bytes > 0) {
            peers.forEach(this::flush);
        }
        return bytes == 0;
    }

    private void flush(Peer peer) {
        for (byte[] next = peer.frames.peek(); next != null && peer.socket.test(next); next = peer.frames.peek()) {
            peer.frames.remove();
            bytes -= next.length;
        }
    }
}
