package dpserve.io.message;

import java.util.Map;

/**
 * Controller to each tokenizer worker: this rank takes requests. Repeated to a worker that says hello.
 *
 * @param inputEndpoint the rank's input endpoint; "" for a legacy rank
 * @param info as in {@link Hello#info}
 */
public record RankUp(int dpRank, long incarnation, String inputEndpoint, Map<String, Long> info) implements Message {}
