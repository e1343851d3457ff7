package dpserve.scheduler;

import dpserve.io.DisaggregationMode;
import java.util.Set;

/**
 * How one rank of a prefill or decode server hands KV over.
 *
 * @param mode {@link DisaggregationMode#PREFILL} or {@link DisaggregationMode#DECODE}
 * @param kvEndpoint where this rank takes KV messages
 * @param bootstrapEndpoint prefill: where rooms are announced; decode: null, each request names its own
 * @param bootstrapServers decode: the endpoints that a request may name. Requests come from clients: without this any
 *     of them could have the rank connect to anywhere
 * @param kvBytesPerToken what a token's KV weighs on the modelled device, bytes: decides how long a transfer takes
 * @param wireBytesPerToken what really travels for a token, bytes, a multiple of 8
 * @param transferNsPerByte modelled time of a byte on this rank's link, nanoseconds, time scale included
 * @param reservedDecodeTokens decode: KV slots kept free for each request that runs or will, as
 *     {@code --num-reserved-decode-tokens}
 * @param timeoutMs how long one half of a pair waits for the other
 */
public record Disaggregation(
        DisaggregationMode mode,
        String kvEndpoint,
        String bootstrapEndpoint,
        Set<String> bootstrapServers,
        int kvBytesPerToken,
        int wireBytesPerToken,
        double transferNsPerByte,
        int reservedDecodeTokens,
        long timeoutMs) {

    /** SGLang's default of {@code --num-reserved-decode-tokens}. */
    public static final int DEFAULT_RESERVED_DECODE_TOKENS = 512;

    /** 400 Gbit/s: the usual InfiniBand link of one GPU. */
    public static final double DEFAULT_TRANSFER_GBPS = 400;

    /** Enough to tell every token of every prefix from any other; a prompt of 4,000 tokens is 256 kB on the wire. */
    public static final int DEFAULT_WIRE_BYTES_PER_TOKEN = 64;

    /** SGLang waits 300 s; whoever waits this long in vain is retried by the router anyway. */
    public static final int DEFAULT_TIMEOUT_S = 30;

    /** Names {@link #bootstrapServers}. */
    public static final String BOOTSTRAP_SERVERS_FLAG = "--disaggregation-bootstrap-servers";

    /** A piece of 4,096 tokens is then 4 MiB, far below a frame's limit. */
    public static final int MAX_WIRE_BYTES_PER_TOKEN = 1024;

    /** Both ranks hold a request's bytes at once while they travel. */
    private static final long MAX_WIRE_BYTES = 256L << 20;

    private static final double BITS_PER_BYTE = 8;

    public Disaggregation {
        bootstrapServers = Set.copyOf(bootstrapServers);
        if (wireBytesPerToken < Long.BYTES
                || wireBytesPerToken > MAX_WIRE_BYTES_PER_TOKEN
                || wireBytesPerToken % Long.BYTES != 0) {
            throw new IllegalArgumentException("--kv-wire-bytes-per-token must be a multiple of 8 up to "
                    + MAX_WIRE_BYTES_PER_TOKEN + ", not " + wireBytesPerToken);
        }
    }

    /**
     * Checks that the bytes of the longest request can be held.
     *
     * @throws IllegalArgumentException naming the flags
     */
    void requireFits(int tokens) {
        if ((long) tokens * wireBytesPerToken > MAX_WIRE_BYTES) {
            throw new IllegalArgumentException("--kv-wire-bytes-per-token times the longest request (" + tokens
                    + " tokens) must not exceed " + MAX_WIRE_BYTES + " bytes");
        }
    }

    /** Nanoseconds of a byte at this many gigabits (10^9) a second; a time scale of 0 makes it nothing. */
    public static double nsPerByte(double gbps, double timeScale) {
        return BITS_PER_BYTE / gbps * timeScale;
    }
}
