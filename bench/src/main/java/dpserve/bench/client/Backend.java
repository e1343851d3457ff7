package dpserve.bench.client;

import java.util.Arrays;
import java.util.stream.Collectors;

/** The APIs that can be driven, with upstream's names. */
public enum Backend {
    /** SGLang's own API: cumulative text and token ids. */
    SGLANG("sglang", "/generate"),
    /** Upstream's other name for the same. */
    SGLANG_NATIVE("sglang-native", "/generate"),
    COMPLETIONS("sglang-oai", "/v1/completions"),
    CHAT("sglang-oai-chat", "/v1/chat/completions");

    private final String flag;
    private final String path;

    Backend(String flag, String path) {
        this.flag = flag;
        this.path = path;
    }

    /** The name as in {@code --backend}. */
    public String flag() {
        return flag;
    }

    /** Where requests are posted, below the base URL. */
    public String path() {
        return path;
    }

    /** Whether this is /generate. */
    public boolean isNative() {
        return this == SGLANG || this == SGLANG_NATIVE;
    }

    /**
     * @throws IllegalArgumentException listing the names there are
     */
    public static Backend of(String flag) {
        return Arrays.stream(values())
                .filter(b -> b.flag.equals(flag))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("--backend must be one of "
                        + Arrays.stream(values()).map(Backend::flag).collect(Collectors.joining(", ")) + ", not "
                        + flag));
    }
}
