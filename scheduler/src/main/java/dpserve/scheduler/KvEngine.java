package dpserve.scheduler;

/** An engine whose KV can leave it and come from elsewhere: what a rank of a prefill or decode server needs. */
public interface KvEngine extends Engine {
    /**
     * The KV of a request's first tokens as bytes, for another rank.
     *
     * @param bytesPerToken a multiple of 8
     */
    byte[] exportKv(Request r, int tokens, int bytesPerToken);

    /** A request goes on in its slot as if its first tokens had been computed there. */
    void importKv(Request r, int tokens);
}
