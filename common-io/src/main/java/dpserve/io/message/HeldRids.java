package dpserve.io.message;

/**
 * What a rank holds, for reconciliation (docs/protocol.md section 3). Controller to rank: the question, without rids.
 * Rank to controller: the answer, given after everything that came before the question.
 *
 * @param incarnation the rank's; an answer of another incarnation counts for nothing
 * @param rids wire rids of all requests the rank holds
 */
public record HeldRids(int dpRank, long incarnation, String[] rids) implements Message {}
