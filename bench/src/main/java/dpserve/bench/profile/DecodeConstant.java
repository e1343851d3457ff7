package dpserve.bench.profile;

/** The three constants of a decode step: each multiplies one quantity of the step. */
public enum DecodeConstant {
    BASE("decode_base_ms", "each step"),
    PER_REQUEST("decode_per_request_ms", "#running-req"),
    PER_KV_TOKEN("decode_per_kv_token_ms", "#token");

    private final String key;
    private final String quantity;

    DecodeConstant(String key, String quantity) {
        this.key = key;
        this.quantity = quantity;
    }

    /** Its key in a profile file. */
    public String key() {
        return key;
    }

    /** What it multiplies, in the words of the log. */
    String quantity() {
        return quantity;
    }

    /** What it multiplies in one observation. */
    double of(Observation o) {
        return switch (this) {
            case BASE -> 1;
            case PER_REQUEST -> o.requests();
            case PER_KV_TOKEN -> o.kvTokens();
        };
    }
}
