package dpserve.tokenizer.http;

/**
 * Counts the bytes of request bodies that wait, of all connections together: for their turn on their connection, or for the
 * thread that reads long ones. Used on the event loop only.
 */
final class WaitingBodies {
    /**
     * The part of the heap that they may fill: of a tokenizer worker's 1 GiB what --max-live-prompt-tokens token ids take as
     * JSON, so that no burst of long prompts is refused here that is taken there.
     */
    private static final int PART_OF_HEAP = 4;

    private final long maxBytes;
    private long bytes;

    /** @param maxBytes of all together, at most; one that is longer by itself may wait alone */
    public WaitingBodies(long maxBytes) {
        this.maxBytes = maxBytes;
    }

    /** With the limit that fits this process. */
    static WaitingBodies ofHeap() {
        return new WaitingBodies(Runtime.getRuntime().maxMemory() / PART_OF_HEAP);
    }

    /**
     * One more waits from now on.
     *
     * @return false if that would be too much: it does not wait
     */
    boolean add(int length) {
        if (bytes > 0 && bytes + length > maxBytes) {
            return false;
        }
        bytes += length;
        return true;
    }

    /** One waits no longer. */
    void remove(int length) {
        bytes -= length;
    }

    long maxBytes() {
        return maxBytes;
    }
}
