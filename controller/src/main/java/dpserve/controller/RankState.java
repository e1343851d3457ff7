package dpserve.controller;

/** The life of a dp_rank's slot, as the controller sees it. */
public enum RankState {
    /** Never registered, or greeted and not yet registered. */
    ABSENT,
    /** Takes requests. */
    UP,
    /** Finishes what it has and takes nothing new. */
    DRAINING,
    /** Its incarnation ended; a higher one may follow. */
    DEAD,
    /** An operator took it out of the topology; a higher incarnation brings it back. */
    REMOVED
}
