package dpserve.tokenizer;

import dpserve.io.message.Stamps;
import java.util.List;

/**
 * Where the time of an ended request went: seconds in each stage, which add up to the time from its acceptance to its end
 * here. A request that was sent more than once has the stages of its last attempt; what came before is in {@code dispatch}.
 *
 * @param seconds one for each of {@link #NAMES}
 */
public record Stages(double[] seconds) {

    /** Each stage ends where the next begins, at the moment of the same place in {@link Stamps} one before it. */
    public static final List<String> NAMES =
            List.of("tokenize", "dispatch", "transfer", "queue", "prefill", "decode", "detokenize", "send");

    /**
     * Stamps of three other processes, on this one's clock, none before its predecessor nor after the end. A stage that was
     * not reached takes no time.
     *
     * @param stamps see {@link Stamps}; rebased already
     */
    static Stages of(double acceptedS, double tokenizedS, double[] stamps, double sentS) {
        double[] seconds = new double[NAMES.size()];
        double at = acceptedS;
        for (int stage = 0; stage < seconds.length; stage++) {
            double end = stage == 0 ? tokenizedS : stage <= Stamps.COUNT ? stamps[stage - 1] : sentS;
            double clamped = Math.max(at, Math.min(end, sentS));
            seconds[stage] = clamped - at;
            at = clamped;
        }
        return new Stages(seconds);
    }
}
