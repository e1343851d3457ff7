package dpserve.io.message;

/**
 * Controller to each tokenizer worker: this incarnation is gone, and with it these attempts of that worker. Also to each
 * rank that stepped together with it, without attempts.
 *
 * @param reason in words, for the client's error
 * @param rids the receiving worker's wire rids that the incarnation held
 */
public record RankDown(int dpRank, long incarnation, String reason, String[] rids) implements Message {}
