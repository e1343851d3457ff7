package dpserve.router;

import dpserve.io.message.Refused;

/** How often one client request is tried again, and after how long. Pure. */
public final class Retries {
    /** As often as a tokenizer manager sends a request again after deaths: more often it may be what kills. */
    static final int MAX_ATTEMPTS = 3;

    /** Rooms whose rank takes nothing at present, which cost nothing: 4 s, in which a dead rank is back. */
    static final int MAX_REFUSALS = 20;

    /** Before the second attempt, and twice that before the third: a restarting process needs a moment. */
    static final long DELAY_MS = 200;

    /** There is no further attempt. */
    public static final long GIVE_UP = -1;

    private int attempts;
    private int refusals;

    /**
     * An attempt failed in a way that another pair or room may heal.
     *
     * @param why what the half that failed said
     * @return milliseconds until the next attempt, or {@link #GIVE_UP}
     */
    public long afterFailure(String why) {
        if (why.contains(Refused.ROOM_UNAVAILABLE)) {
            refusals++;
            return refusals <= MAX_REFUSALS ? DELAY_MS : GIVE_UP;
        }
        attempts++;
        return attempts < MAX_ATTEMPTS ? DELAY_MS * attempts : GIVE_UP;
    }
}
