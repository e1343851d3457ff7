package dpserve.io;

import java.util.Arrays;
import java.util.Locale;
import java.util.stream.Collectors;

/** How loads get from the ranks to the controller: {@code --load-report}. */
public enum LoadReport {
    /** Tokenizer worker 0 asks all ranks every load watch interval: SGLang before PR #11469. */
    WATCH,
    /** Each output batch carries its rank's load: PR #11469. */
    PIGGYBACK,
    /** No reports: the controller has its in-flight counts alone (first draft of PR #11469). */
    ACCOUNTING,
    /** From the rank to the controller after each step that changed something, and with every heartbeat. */
    DIRECT;

    /** Its name in flags and messages. */
    public String wireName() {
        return name().toLowerCase(Locale.ROOT);
    }

    /**
     * The path with this name.
     *
     * @throws IllegalArgumentException naming the valid ones
     */
    public static LoadReport of(String wireName) {
        for (LoadReport path : values()) {
            if (path.wireName().equals(wireName)) {
                return path;
            }
        }
        throw new IllegalArgumentException("report must be one of "
                + Arrays.stream(values()).map(LoadReport::wireName).collect(Collectors.joining(", ")));
    }
}
