package dpserve.scheduler;

import dpserve.io.SimulatedModel;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;

/**
 * Spends no time itself: says how long a device would take, and which tokens {@link SimulatedModel} gives. Keeps one
 * hash for each running sequence, so a decode step costs the same however long the sequence is.
 */
public final class SimulatedEngine implements KvEngine {
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
        keep(r.slot(), hash);
        return model.next(hash, last, r.allowEos());
    }

    /** For each token the hash of all ids up to it, stretched over its bytes: no other prefix has the same. */
    @Override
    public byte[] exportKv(Request r, int tokens, int bytesPerToken) {
        ByteBuffer bytes = ByteBuffer.allocate(tokens * bytesPerToken).order(ByteOrder.LITTLE_ENDIAN);
        long hash = SimulatedModel.START;
        for (int i = 0; i < tokens; i++) {
            hash = SimulatedModel.extend(hash, r.ids()[i]);
            for (int word = 0; word < bytesPerToken / Long.BYTES; word++) {
                bytes.putLong(SimulatedModel.extend(hash, word));
            }
        }
        return bytes.array();
    }

    @Override
    public void importKv(Request r, int tokens) {
        long hash = SimulatedModel.START;
        for (int i = 0; i < tokens; i++) {
            hash = SimulatedModel.extend(hash, r.ids()[i]);
        }
        keep(r.slot(), hash);
    }

    private void keep(int slot, long hash) {
        if (slot >= hashes.length) {
            hashes = Arrays.copyOf(hashes, Math.max(slot + 1, hashes.length * 2));
        }
        hashes[slot] = hash;
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
