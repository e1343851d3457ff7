package dpserve.io.message;

/**
 * Rank to rank under DP attention: how long the sender's part of a step takes by itself. A step ends for all when the
 * slowest part does.
 *
 * @param incarnation the sender's
 * @param step number of the step, the same on every rank; rises with each
 * @param durationS modelled time of the sender's batch, seconds; 0 for a rank that has none
 */
public record StepDone(int dpRank, long incarnation, long step, double durationS) implements Message {}
