package dpserve.tokenizer;

import dpserve.io.WireRid;

/**
 * Names the first attempts of a worker's sequences. Which of several detokenizers has a sequence's text follows from its wire rid
 * alone, as if by chance; so of the running numbers one is taken that leads to the detokenizer whose turn it is. Numbers that are
 * passed over are never used, and nobody misses them.
 */
final class WireRids {
    /** Enough that a search fails for one rid in a million with two detokenizers; then that rid is somebody else's. */
    private static final int TRIES_EACH = 10;

    private final long incarnation;
    private int detokenizers = 1;
    private long nextNumber;
    private int turn;

    WireRids(long incarnation) {
        this.incarnation = incarnation;
    }

    void spreadOver(int newDetokenizers) {
        detokenizers = Math.max(1, newDetokenizers);
        turn = 0;
    }

    /** A name that was not given before. */
    String next(String userRid) {
        String rid = name(userRid);
        for (int tries = TRIES_EACH * detokenizers;
                tries > 0 && detokenizers > 1 && WireRid.detokenizer(rid, detokenizers) != turn;
                tries--) {
            rid = name(userRid);
        }
        turn = (turn + 1) % detokenizers;
        return rid;
    }

    private String name(String userRid) {
        return new WireRid(userRid, incarnation, nextNumber++, 0).toString();
    }
}
