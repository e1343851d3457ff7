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
        double transferNsPerByte,
        int reservedDecodeTokens,
        long timeoutMs) {

    /** SGLang's default of {@code --num-reserved-decode-tokens}. */
    public static final int DEFAULT_RESERVED_DECODE_TOKENS = 512;

    /** 400 Gbit/s: the usual InfiniBand link of one GPU. */
    public static final double DEFAULT_TRANSFER_GBPS = 400;

    /** SGLang waits 300 s; whoever waits this long in vain is retried by the router anyway. */
    public static final int DEFAULT_TIMEOUT_S = 30;

    /** Names {@link #bootstrapServers}. */
    public static final String BOOTSTRAP_SERVERS_FLAG = "--disaggregation-bootstrap-servers";

    /** Of one request: a rank holds about twice this of a transfer under way in its heap, beside others. */
    static final long MAX_KV_BYTES = 64L << 20;

    private static final double BITS_PER_BYTE = 8;

    public Disaggregation {
        bootstrapServers = Set.copyOf(bootstrapServers);
    }

    /** Why so long a prompt cannot be handed over, or null. */
    static String refuse(Engine engine, int tokens) {
        long bytes = engine.kvBytes(tokens);
        return bytes <= MAX_KV_BYTES
                ? null
                : "the KV of " + tokens + " prompt tokens is " + bytes + " bytes, a PD server hands over at most "
                        + MAX_KV_BYTES;
    }

    /** Nanoseconds of a byte at this many gigabits (10^9) a second; a time scale of 0 makes it nothing. */
    public static double nsPerByte(double gbps, double timeScale) {
        return BITS_PER_BYTE / gbps * timeScale;
    }
}
