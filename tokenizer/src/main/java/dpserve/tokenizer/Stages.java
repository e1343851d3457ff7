package dpserve.tokenizer;

import dpserve.io.message.Stamps;
import java.util.List;

/**
 * Where the time of a request went: seconds in each stage, which add up to the time from its acceptance to its end here, or
 * to now while it runs. A request that was sent more than once has the stages of its last attempt; what came before is in
 * {@code dispatch}.
 *
 * @param seconds one for each of {@link #NAMES}
 * @param current index of the stage that it is in, or was in when it ended before its time
 */
public record Stages(double[] seconds, int current) {

    /** Each stage ends where the next begins, at the moment of the same place in {@link Stamps} one before it. */
    public static final List<String> NAMES =
            List.of("tokenize", "dispatch", "transfer", "queue", "prefill", "decode", "detokenize", "send");

    /**
     * Stamps of three other processes, on this one's clock, none before its predecessor nor after the end. If the rank did
     * not finish it, the first stage whose end is not known takes all the rest; of a peer that stamps nothing that is
     * {@code dispatch}.
     *
     * @param stamps see {@link Stamps}; rebased already
     */
    static Stages of(double acceptedS, double tokenizedS, double[] stamps, double nowS) {
        double[] seconds = new double[NAMES.size()];
        int current = current(stamps);
        double at = acceptedS;
        for (int stage = 0; stage <= current; stage++) {
            double end = stage == current ? nowS : stage == 0 ? tokenizedS : stamps[stage - 1];
            double clamped = Math.max(at, Math.min(end, nowS));
            seconds[stage] = clamped - at;
            at = clamped;
        }
        return new Stages(seconds, current);
    }

    private static int current(double[] stamps) {
        if (stamps[Stamps.FINISHED] != 0) {
            return NAMES.size() - 1;
        }
        int stage = 1;
        while (stage <= Stamps.FINISHED && stamps[stage - 1] != 0) {
            stage++;
        }
        return stage;
    }
}
