package dpserve.controller.policy;

/**
 * bootstrap_room modulo the number of ranks: SGLang's {@code follow_bootstrap_room}. The decode side of a PD pair works
 * out the prefill rank by the same rule, so a request whose rank is not live is refused and never sent elsewhere. Where
 * SGLang asserts that there is a room, a request without one is refused.
 */
final class FollowBootstrapRoom implements DispatchPolicy {

    @Override
    public int choose(RankView ranks, RequestInfo request) {
        if (request.bootstrapRoom() == RequestInfo.NO_ROOM) {
            return UNFIT;
        }
        int dpRank = (int) Math.floorMod(request.bootstrapRoom(), (long) ranks.slots());
        return ranks.isLive(dpRank) ? dpRank : NOT_LIVE;
    }
}
