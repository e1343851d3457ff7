package dpserve.io.message;

import java.util.Locale;

/** The kinds of process in the topology. */
public enum Role {
    TOKENIZER,
    DETOKENIZER,
    CONTROLLER,
    SCHEDULER;

    /** Name on the wire, in logs and in topology.json: lower case. */
    public String wireName() {
        return name().toLowerCase(Locale.ROOT);
    }
}
