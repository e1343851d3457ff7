package dpserve.scheduler;

import dpserve.io.SimulatedModel;
import java.util.Arrays;

/**
 * Spends no time itself: says how long a device would take, and which tokens {@link SimulatedModel} gives. Keeps one
 * hash for each running sequence, so a decode step costs the same however long the sequence is.
 */
public final class SimulatedEngine implements Engine {
    private final SimulatedModel model;
    private final EngineProfile profile;

    /** By slot: the hash of all tokens of the sequence but the newest. */
    private long[] hashes = new long[16];

    public SimulatedEngine(SimulatedModel model, EngineProfile profile) {
        this.model = model;
        this.profile = profile;
    }

    @Override
    public StepResult run(Batch batch) {
        int[] next = new int[batch.size()];
        for (int i = 0; i < next.length; i++) {
            next[i] = batch.completes(i) ? next(batch, i) : NO_TOKEN;
        }
        return new StepResult(next, null, profile.durationNs(batch));
    }

    private int next(Batch batch, int i) {
        Request r = batch.request(i);
        int length = r.length();
        int last = length == 0 ? SimulatedModel.NO_TOKEN : r.ids()[length - 1];
        long hash;
        if (batch.mode() == Batch.Mode.PREFILL) {
            // From the first token on: chunks and cached prefixes leave no hash behind, and hashing costs next to
            // nothing.
            hash = SimulatedModel.START;
            for (int k = 0; k < length; k++) {
                hash = SimulatedModel.extend(hash, r.ids()[k]);
            }
        } else {
            hash = SimulatedModel.extend(hashes[r.slot()], last);
        }
        if (r.slot() >= hashes.length) {
            hashes = Arrays.copyOf(hashes, Math.max(r.slot() + 1, hashes.length * 2));
        }
        hashes[r.slot()] = hash;
        return model.next(hash, last, r.allowEos());
    }

    @Override
    public void release(int slot) {
        // The next sequence in this slot overwrites the hash.
    }

    @Override
    public byte[] tokenBytes(int tokenId) {
        return model.tokenBytes(tokenId);
    }

    @Override
    public boolean isEos(int tokenId) {
        return tokenId == model.eosTokenId();
    }
}
