package dpserve.io.message;

/**
 * Places in a request's stage stamps, which an attempt's first and last output carry: seconds since the epoch by the clock of the process
 * that the stage belongs to; 0 for a stage that it never reached.
 */
public final class Stamps {
    /** The controller sent it to a rank. */
    public static final int DISPATCHED = 0;

    /** The rank took it. */
    public static final int RECEIVED = 1;

    /** It was in a batch for the first time. */
    public static final int FIRST_SCHEDULED = 2;

    /** The step that made its first token ended. */
    public static final int FIRST_TOKEN = 3;

    /** The rank was done with it. */
    public static final int FINISHED = 4;

    /** The detokenizer had the text of the output that carries this; 0 before. */
    public static final int DETOKENIZED = 5;

    /** Length of the array. */
    public static final int COUNT = 6;

    private Stamps() {}
}
