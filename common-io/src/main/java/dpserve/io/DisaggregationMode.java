package dpserve.io;

import java.util.Locale;

/** Which half of prefill/decode (PD) disaggregation a server is: {@code --disaggregation-mode}. */
public enum DisaggregationMode {
    /** Neither: every rank prefills and decodes. SGLang's name for it is the text "null". */
    NULL,
    /** Prompts are computed here, their KV goes to a decode server. */
    PREFILL,
    /** Output is made here, from KV that a prefill server computed. */
    DECODE;

    /** The flag's name, for messages. */
    public static final String FLAG = "--disaggregation-mode";

    /** Port of the bootstrap server unless a flag says otherwise: SGLang's. */
    public static final int DEFAULT_BOOTSTRAP_PORT = 8998;

    /** As the flag spells it. */
    public String flagValue() {
        return name().toLowerCase(Locale.ROOT);
    }

    /**
     * Reads the flag.
     *
     * @throws IllegalArgumentException naming the flag
     */
    public static DisaggregationMode parse(String text) {
        for (DisaggregationMode mode : values()) {
            if (mode.flagValue().equals(text)) {
                return mode;
            }
        }
        throw new IllegalArgumentException(FLAG + " must be null, prefill or decode, not " + text);
    }
}
