package dpserve.scheduler;

/** In which order waiting requests are considered for prefill ({@code --schedule-policy}). */
public enum SchedulePolicy {
    /** First come, first served. */
    FCFS,
    /** Longest prefix match: what the prefix cache already holds most of goes first. */
    LPM
}
