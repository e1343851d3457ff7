package dpserve.tokenizer;

import dpserve.io.message.Stamps;
import java.util.HashMap;
import java.util.Map;
import java.util.function.LongToDoubleFunction;

/** Brings the stage stamps of the other processes onto this one's clock. */
final class StageClock {
    private final LongToDoubleFunction epochSeconds;
    private final Map<Integer, ClockOffset> ranks = new HashMap<>();
    private final ClockOffset controller = new ClockOffset();
    private final ClockOffset detokenizers = new ClockOffset();

    /** @param epochSeconds seconds since the epoch at a monotonic time */
    StageClock(LongToDoubleFunction epochSeconds) {
        this.epochSeconds = epochSeconds;
    }

    /** The stages of a sequence that ends now, or so far. */
    Stages stages(SequenceState state, long nowNs) {
        double accepted = epochSeconds.applyAsDouble(state.createdNs());
        double tokenized = epochSeconds.applyAsDouble(state.tokenizedNs());
        double now = epochSeconds.applyAsDouble(nowNs);
        double[] stamps = state.stamps == null ? new double[Stamps.COUNT] : state.stamps.clone();
        if (state.stamps != null) {
            rebase(stamps, state.dpRank() == null ? -1 : state.dpRank(), tokenized, now);
        }
        return Stages.of(accepted, tokenized, stamps, now);
    }

    private void rebase(double[] stamps, int dpRank, double sent, double arrived) {
        ClockOffset rank = ranks.computeIfAbsent(dpRank, r -> new ClockOffset());
        int last = stamps[Stamps.FINISHED] == 0 ? Stamps.FIRST_TOKEN : Stamps.FINISHED;
        shift(rank, stamps, Stamps.RECEIVED, last, sent, arrived);
        shift(controller, stamps, Stamps.DISPATCHED, Stamps.DISPATCHED, sent, stamps[Stamps.RECEIVED]);
        shift(detokenizers, stamps, Stamps.DETOKENIZED, Stamps.DETOKENIZED, stamps[last], arrived);
    }

    private static void shift(ClockOffset clock, double[] stamps, int first, int last, double sent, double arrived) {
        if (stamps[first] == 0 || stamps[last] == 0) {
            return; // a stage that it never reached, or a peer that stamps nothing
        }
        clock.observe(sent, stamps[first], stamps[last], arrived);
        for (int s = first; s <= last; s++) {
            stamps[s] -= stamps[s] == 0 ? 0 : clock.offsetS();
        }
    }
}
