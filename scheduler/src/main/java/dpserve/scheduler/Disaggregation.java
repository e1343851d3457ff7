package dpserve.scheduler;

import dpserve.io.DisaggregationMode;

/**
 * How one rank of a prefill or decode server hands KV over.
 *
 * @param mode {@link DisaggregationMode#PREFILL} or {@link DisaggregationMode#DECODE}
 * @param kvEndpoint where this rank takes KV messages
 * @param bootstrapEndpoint prefill: where rooms are announced; decode: null, each request names its own
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

    private static final double BITS_PER_BYTE = 8;

    public Disaggregation {
        if (wireBytesPerToken < Long.BYTES || wireBytesPerToken % Long.BYTES != 0) {
            throw new IllegalArgumentException(
                    "kv_wire_bytes_per_token must be a multiple of 8, not " + wireBytesPerToken);
        }
    }

    /** Nanoseconds of a byte at this many gigabits (10^9) a second; a time scale of 0 makes it nothing. */
    public static double nsPerByte(double gbps, double timeScale) {
        return BITS_PER_BYTE / gbps * timeScale;
    }
}
