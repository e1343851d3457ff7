package dpserve.scheduler;

/** A request on a decode rank whose KV is not here yet. */
final class Receiving {
    final Request r;

    /** When the other half last gave a sign of life. */
    long heardNs;

    /** When to ask or pull again. */
    long repeatNs;

    /** The prefill rank's KV endpoint, null before it is known. */
    String from;

    /** Whether KV is allocated, and pulled. */
    boolean allocated;

    /** As much of the KV as has come, null before any has. */
    byte[] kv;

    /** How much that is, bytes. */
    int received;

    Receiving(Request r, long nowNs) {
        this.r = r;
        this.heardNs = nowNs;
        this.repeatNs = nowNs;
    }
}
