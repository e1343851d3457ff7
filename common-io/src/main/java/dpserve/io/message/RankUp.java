package dpserve.io.message;

import java.util.Map;

/**
 * Controller to each tokenizer worker: this rank takes requests. Repeated to a worker that says hello. Ranks that step
 * together ({@code --enable-dp-attention}) are told of each other too.
 *
 * @param inputEndpoint the rank's input endpoint; "" for a legacy rank
 * @param info as in {@link Hello#info}
 * @param stepEndpoint where the rank takes {@link StepDone}; "" if it steps alone
 */
public record RankUp(int dpRank, long incarnation, String inputEndpoint, Map<String, Long> info, String stepEndpoint)
        implements Message {}
