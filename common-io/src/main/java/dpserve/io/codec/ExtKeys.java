package dpserve.io.codec;

/** Keys of the extension element {@code ["DpserveExt", {key: value}]}: docs/protocol.md section 5. */
final class ExtKeys {
    static final String TAG = "DpserveExt";

    static final KnownText KNOWN_TAG = KnownText.of(TAG);

    static final int LOAD = 1;
    static final int INCARNATION = 2;
    static final int RESUMED = 3;
    static final int STAMPS = 4;
    static final int DISPATCH_TIME = 5;
    static final int SEQ = 7;
    static final int RECEIVED_REQS = 8;
    static final int RECEIVED_TOKENS = 9;
    static final int ENDED_REQS = 10;
    static final int ENDED_TOKENS = 11;
    static final int NUM_OUTPUT_TOKENS = 12;
    static final int NUM_USED_TOKENS = 13;
    static final int MAX_TOTAL_NUM_TOKENS = 14;
    static final int GEN_THROUGHPUT = 15;
    static final int CACHE_HIT_RATE = 16;
    static final int DP_RANK = 17;
    static final int NUM_RETRACTED = 18;

    private ExtKeys() {}
}
