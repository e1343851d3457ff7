package dpserve.controller;

import java.util.Locale;

/** What the controller counts; exported under the lower-case names as {@code counters} of its internal_state. */
public enum Count {
    REQUESTS,
    LEGACY_REQUESTS,
    HEALTH_PROBES,
    FORWARDED,
    REFUSED,
    /** Requests that had to wait because no rank was live. */
    HELD,
    ENDED,
    /** Ranks that an operator drained, took back or removed. */
    RANK_CHANGES,
    /** Changes of policy, path of the loads or their delay. */
    LOAD_BALANCE_CHANGES,

    /** End notices for attempts that are not in the map: late ones after RankDown, or doubled. */
    UNKNOWN_ENDS,
    DUPLICATE_RIDS,
    /** Frames of a worker's former incarnation, read after its successor said hello. */
    STALE_STREAM_FRAMES,
    ABORTS,
    ABORTS_UNKNOWN_RID,
    REPORTS_APPLIED,
    REPORTS_STALE,
    /** Reports that were passed over unread, because a newer one of the same rank waited with them. */
    REPORTS_SUPERSEDED,
    REPORTS_UNKNOWN_RANK,
    REPORTS_IMPOSSIBLE,
    RANKS_UP,
    RANKS_DOWN,
    /** Incarnations declared dead for want of heartbeats that beat again: stopped, starved or cut off, not dead. */
    RANKS_DOWN_FALSELY,
    FENCED,
    /** Attempts that ended because their rank did. */
    LOST_WITH_RANK,
    /** Attempts aborted because their worker was replaced. */
    ORPHANED_BY_WORKER,
    /** Questions to ranks about what they hold. */
    RECONCILIATIONS,
    /** Attempts that no rank holds any more and that nobody ended. */
    LOST_WITHOUT_END,
    /** Requests aborted on a rank because the map does not know them. */
    UNKNOWN_ON_RANK,
    /** Questions of tokenizer workers about which of their attempts are known. */
    KNOWN_ASKED,
    /** Messages to a tokenizer worker that its full queue did not take. */
    WORKER_SEND_FAILED,
    UNKNOWN_HTTP_WORKER_IPC,
    /** A policy returned a rank that is not live: a defect of the policy. */
    POLICY_CHOSE_DEAD_RANK;

    /** Name in internal_state. */
    public String exportName() {
        return name().toLowerCase(Locale.ROOT);
    }
}
