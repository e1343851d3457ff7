package dpserve.bench.sim;

import dpserve.io.SimulatedModel;
import dpserve.io.message.TokenizedGenerateReqInput;

/** One request: what was asked, when what happened, and whether its tokens are the right ones. Times in nanoseconds. */
final class SimRequest {
    final int number;
    final int worker;
    TokenizedGenerateReqInput message;
    private final boolean allowEos;
    final long startNs;

    /** Requests under way when this one was sent, itself included. */
    final int inFlight;

    int dpRank = -1;
    long firstTokenNs = -1;
    long lastTokenNs = -1;
    long endNs = -1;
    int tokens;
    boolean failed;
    private long hash;
    private int last;

    SimRequest(int number, int worker, TokenizedGenerateReqInput message, long startNs, int inFlight) {
        this.number = number;
        this.worker = worker;
        this.message = message;
        this.startNs = startNs;
        this.inFlight = inFlight;
        this.allowEos = !message.samplingParams().ignoreEos();
        int[] ids = message.inputIds();
        long h = SimulatedModel.START;
        for (int i = 0; i < ids.length - 1; i++) {
            h = SimulatedModel.extend(h, ids[i]);
        }
        hash = h;
        last = ids[ids.length - 1];
    }

    /** Takes new output ids; false if they are not the ones the model gives. */
    boolean accept(SimulatedModel model, int[] newIds) {
        boolean right = true;
        for (int id : newIds) {
            hash = SimulatedModel.extend(hash, last);
            right &= model.next(hash, last, allowEos) == id;
            last = id;
        }
        tokens += newIds.length;
        return right;
    }

    void tokensAt(long nowNs) {
        if (firstTokenNs < 0) {
            firstTokenNs = nowNs;
        }
        lastTokenNs = nowNs;
    }

    /** The prompt is needed no longer: a million of them would not fit. */
    void releasePrompt() {
        message = null;
    }
}
