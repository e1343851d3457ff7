package dpserve.controller;

/** What became of a report. */
public enum ReportOutcome {
    /** It is the newest of its rank now. */
    APPLIED,
    /** Its (incarnation, seq) is not newer than what is known. */
    STALE,
    /** Its dp_rank or incarnation is not registered. */
    UNKNOWN_RANK,
    /** It holds a count that cannot be right, such as a negative one. */
    IMPOSSIBLE
}
