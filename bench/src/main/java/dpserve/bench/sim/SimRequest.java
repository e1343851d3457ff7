package dpserve.bench.sim;

import dpserve.io.SimulatedModel;
import dpserve.tokenizer.SequenceState;

/** One request: what was asked, when what happened, and whether its tokens are the right ones. Times in nanoseconds. */
final class SimRequest {
    final int number;
    private final boolean allowEos;
    final long startNs;

    int dpRank = -1;
    long firstTokenNs = -1;
    long lastTokenNs = -1;
    long endNs = -1;
    int tokens;
    boolean failed;
    private long hash;
    private int last;

    SimRequest(int number, int[] ids, boolean allowEos, long startNs) {
        this.number = number;
        this.startNs = startNs;
        this.allowEos = allowEos;
        long h = SimulatedModel.START;
        for (int i = 0; i < ids.length - 1; i++) {
            h = SimulatedModel.extend(h, ids[i]);
        }
        hash = h;
        last = ids[ids.length - 1];
    }

    /** Takes what is new of the output; false if it is not what the model gives. */
    boolean accept(SimulatedModel model, SequenceState state) {
        boolean right = true;
        for (int i = tokens; i < state.completionTokens(); i++) {
            int id = state.outputId(i);
            hash = SimulatedModel.extend(hash, last);
            right &= model.next(hash, last, allowEos) == id;
            last = id;
        }
        tokens = state.completionTokens();
        return right;
    }

    void tokensAt(long nowNs) {
        if (firstTokenNs < 0) {
            firstTokenNs = nowNs;
        }
        lastTokenNs = nowNs;
    }
}
