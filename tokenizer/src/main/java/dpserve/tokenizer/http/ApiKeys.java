package dpserve.tokenizer.http;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/**
 * Who may call what, by SGLang's rules: the API key opens every call but those of an administrator; these need the admin
 * key, or without one the API key. Health and metrics are open to all, so that probes and Prometheus need no secret.
 * Immutable.
 */
public final class ApiKeys {
    /** What changes the server for everybody: the path, or with a slash at its end what begins so, and the methods. */
    private record AdminCall(String path, Set<String> methods) {
        boolean matches(String method, String called) {
            return methods.contains(method) && (path.endsWith("/") ? called.startsWith(path) : called.equals(path));
        }
    }

    private static final Set<String> ALL = Set.of("GET", "HEAD", "POST", "PUT", "DELETE");

    private static final List<AdminCall> ADMIN_CALLS = List.of(
            new AdminCall("/flush_cache", ALL),
            new AdminCall("/abort_request", ALL),
            new AdminCall("/load_balance", Set.of("PUT")),
            new AdminCall("/ranks/", Set.of("POST", "PUT", "DELETE")));

    private static final List<String> OPEN = List.of("/health", "/metrics");

    /** A browser sends no key for a page; this one holds no figure and asks for a key itself. */
    private static final String PAGE = "/dashboard";

    private static final String BEARER = "bearer ";

    /** Shorter ones can be guessed by trying. */
    static final int SHORTEST_KEY = 8;

    private static final int LONGEST_KEY = 512;

    private final byte[] apiKey;
    private final byte[] adminKey;

    /**
     * @param apiKey of {@code --api-key}; null or empty for none
     * @param adminApiKey of {@code --admin-api-key}; null or empty for none
     * @throws IllegalArgumentException naming the flag, not its value
     */
    public ApiKeys(String apiKey, String adminApiKey) {
        this.apiKey = digest("--api-key", apiKey);
        this.adminKey = digest("--admin-api-key", adminApiKey);
    }

    /** Whether any call needs a key. */
    public boolean any() {
        return apiKey != null || adminKey != null;
    }

    /**
     * Decides about one call. How long that takes does not depend on how much of a key is right.
     *
     * @param path without query
     * @param authorization the header's value, or null
     */
    public boolean allows(String method, String path, String authorization) {
        byte[] needed = needed(method, path);
        if (needed == null) {
            return true;
        }
        if (authorization == null
                || !authorization.regionMatches(true, 0, BEARER, 0, BEARER.length())
                || authorization.length() - BEARER.length() > LONGEST_KEY) {
            return false;
        }
        return MessageDigest.isEqual(needed, sha256(authorization.substring(BEARER.length())));
    }

    /** The digest of the key that a call needs, or null if it needs none. */
    private byte[] needed(String method, String path) {
        String upper = method.toUpperCase(Locale.ROOT);
        if (upper.equals("OPTIONS") || path.equals(PAGE) || OPEN.stream().anyMatch(path::startsWith)) {
            return null;
        }
        boolean admin = ADMIN_CALLS.stream().anyMatch(call -> call.matches(upper, path));
        return admin && adminKey != null ? adminKey : apiKey;
    }

    private static byte[] digest(String flag, String key) {
        if (key == null || key.isEmpty()) {
            return null;
        }
        if (key.length() < SHORTEST_KEY || key.length() > LONGEST_KEY) {
            throw new IllegalArgumentException(
                    flag + " must have " + SHORTEST_KEY + " to " + LONGEST_KEY + " characters");
        }
        if (!key.chars().allMatch(c -> c > ' ' && c < 127)) {
            throw new IllegalArgumentException(flag + " must be of printable ASCII characters without spaces");
        }
        return sha256(key);
    }

    private static byte[] sha256(String text) {
        try {
            return MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java has SHA-256", e);
        }
    }
}
