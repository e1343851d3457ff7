package dpserve.scheduler;

/**
 * The share of their remaining max_new_tokens that running requests are expected to use, SGLang's new_token_ratio.
 * Starts high, sinks with every decode step that fits, and is set from the facts when one did not.
 */
final class NewTokenRatio {
    /** SGLang's init_new_token_ratio at conservativeness 1. */
    private static final double INIT = 0.7;

    /** The floor, as a share of the start. */
    private static final double MIN_FACTOR = 0.14;

    /** Decode steps from the start to the floor. */
    private static final int DECAY_STEPS = 600;

    /** After a retraction each remaining request is given room for this many further tokens. */
    private static final int RETRACT_DECODE_STEPS = 20;

    private final double init;
    private final double min;
    private final double decay;
    private double current;

    NewTokenRatio(double conservativeness) {
        init = Math.min(INIT * conservativeness, 1.0);
        min = init * MIN_FACTOR;
        decay = (init - min) / DECAY_STEPS;
        current = init;
    }

    double current() {
        return current;
    }

    void onDecodeStep() {
        current = Math.max(current - decay, min);
    }

    /** Sets it from what the remaining requests have produced of what they may. */
    void onRetraction(Iterable<Request> remaining) {
        long made = 0;
        long most = 0;
        for (Request r : remaining) {
            made += r.outputLength() + RETRACT_DECODE_STEPS;
            most += r.maxNewTokens();
        }
        current = Math.min(1.0, (double) made / (most + 1));
    }

    void reset() {
        current = init;
    }
}
