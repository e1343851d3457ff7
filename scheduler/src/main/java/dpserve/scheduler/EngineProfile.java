package dpserve.scheduler;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Properties;

/**
 * How long a step takes on the modelled device. Prefill: base + tokens computed; decode: base + requests + KV tokens
 * read. The file's comments say which constants were measured and which are assumed.
 *
 * @param prefillBaseMs milliseconds of any prefill step
 * @param prefillPerTokenMs milliseconds for each token computed
 * @param decodeBaseMs milliseconds of any decode step
 * @param decodePerRequestMs milliseconds for each request
 * @param decodePerKvTokenMs milliseconds for each KV token read
 * @param kvBytesPerToken what a token's KV weighs, bytes: decides how long it takes to hand it to another rank
 */
public record EngineProfile(
        double prefillBaseMs,
        double prefillPerTokenMs,
        double decodeBaseMs,
        double decodePerRequestMs,
        double decodePerKvTokenMs,
        int kvBytesPerToken) {

    /** Qwen3-235B-A22B's configuration: 94 layers x 4 KV heads x 128 x 2 (K, V) x 2 bytes (bfloat16). */
    public static final int DEFAULT_KV_BYTES_PER_TOKEN = 94 * 4 * 128 * 2 * 2;

    /** The one key that may be missing: profiles fitted from logs know nothing of it. */
    private static final String KV_BYTES = "kv_bytes_per_token";

    private static final String DEFAULT_RESOURCE = "default-engine-profile.properties";
    private static final double NS_PER_MS = 1e6;

    /** A profile whose KV has the default's weight. */
    public EngineProfile(
            double prefillBaseMs,
            double prefillPerTokenMs,
            double decodeBaseMs,
            double decodePerRequestMs,
            double decodePerKvTokenMs) {
        this(
                prefillBaseMs,
                prefillPerTokenMs,
                decodeBaseMs,
                decodePerRequestMs,
                decodePerKvTokenMs,
                DEFAULT_KV_BYTES_PER_TOKEN);
    }

    /** The decode server of PR #11469's experiment. */
    public static EngineProfile defaultProfile() {
        try (InputStream in = EngineProfile.class.getResourceAsStream(DEFAULT_RESOURCE)) {
            Properties properties = new Properties();
            properties.load(in);
            return of(properties);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /**
     * Reads a profile.
     *
     * @throws IllegalArgumentException naming the key that is missing, unknown or no number of at least 0
     */
    public static EngineProfile of(Properties properties) {
        Properties left = new Properties();
        left.putAll(properties);
        EngineProfile profile = new EngineProfile(
                take(left, "prefill_base_ms"),
                take(left, "prefill_per_token_ms"),
                take(left, "decode_base_ms"),
                take(left, "decode_per_request_ms"),
                take(left, "decode_per_kv_token_ms"),
                left.containsKey(KV_BYTES) ? (int) take(left, KV_BYTES) : DEFAULT_KV_BYTES_PER_TOKEN);
        if (!left.isEmpty()) {
            throw new IllegalArgumentException("engine profile: unknown key "
                    + left.stringPropertyNames().iterator().next());
        }
        return profile;
    }

    private static double take(Properties left, String key) {
        Object text = left.remove(key);
        try {
            double value =
                    text == null ? -1 : Double.parseDouble(text.toString().trim());
            if (value >= 0 && value < Double.POSITIVE_INFINITY) {
                return value;
            }
        } catch (NumberFormatException e) {
            // reported below, together with values out of range
        }
        throw new IllegalArgumentException("engine profile: " + key + " must be a number of at least 0");
    }

    /** Duration of a step, nanoseconds. */
    public long durationNs(Batch batch) {
        double ms = batch.mode() == Batch.Mode.PREFILL
                ? prefillBaseMs + prefillPerTokenMs * batch.newTokens()
                : decodeBaseMs + decodePerRequestMs * batch.size() + decodePerKvTokenMs * batch.kvTokens();
        return Math.round(ms * NS_PER_MS);
    }
}
