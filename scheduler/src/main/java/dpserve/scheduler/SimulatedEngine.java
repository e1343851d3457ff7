package dpserve.scheduler;

import dpserve.io.SimulatedModel;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;

/**
 * Spends no time itself: says how long a device would take, and which tokens {@link SimulatedModel} gives. Keeps one
 * hash for each running sequence, so a decode step costs the same however long the sequence is.
 */
public final class SimulatedEngine implements Engine {
    /** Enough to tell every token of every prefix from any other; a prompt of 4,000 tokens is 256 kB on the wire. */
    public static final int DEFAULT_WIRE_BYTES_PER_TOKEN = 64;

    /** A prompt of 65,536 tokens is then 64 MiB. */
    public static final int MAX_WIRE_BYTES_PER_TOKEN = 1024;

    private final SimulatedModel model;
    private final EngineProfile profile;
    private final int wireBytesPerToken;

    /** By slot: the hash of the first tokens of the sequence. */
    private long[] hashes = new long[16];

    /** By slot: of how many. */
    private int[] hashed = new int[16];

    public SimulatedEngine(SimulatedModel model, EngineProfile profile) {
        this(model, profile, DEFAULT_WIRE_BYTES_PER_TOKEN);
    }

    /**
     * @param wireBytesPerToken what stands for a token's KV where it is handed over
     * @throws IllegalArgumentException if that is no multiple of 8 from 8 to {@link #MAX_WIRE_BYTES_PER_TOKEN}
     */
    public SimulatedEngine(SimulatedModel model, EngineProfile profile, int wireBytesPerToken) {
        if (wireBytesPerToken < Long.BYTES
                || wireBytesPerToken > MAX_WIRE_BYTES_PER_TOKEN
                || wireBytesPerToken % Long.BYTES != 0) {
            throw new IllegalArgumentException("--kv-wire-bytes-per-token must be a multiple of 8 up to "
                    + MAX_WIRE_BYTES_PER_TOKEN + ", not " + wireBytesPerToken);
        }
        this.model = model;
        this.profile = profile;
        this.wireBytesPerToken = wireBytesPerToken;
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
        keepRoom(r.slot());
        // A prefill is hashed from the first token on: chunks and cached prefixes leave no hash behind, nor does KV
        // that
        // came from elsewhere, and hashing costs next to nothing.
        boolean goesOn = batch.mode() != Batch.Mode.PREFILL && hashed[r.slot()] == length - 1;
        long hash = goesOn ? SimulatedModel.extend(hashes[r.slot()], last) : hash(r, length);
        hashes[r.slot()] = hash;
        hashed[r.slot()] = length;
        return model.next(hash, last, r.allowEos());
    }

    private static long hash(Request r, int length) {
        long hash = SimulatedModel.START;
        for (int i = 0; i < length; i++) {
            hash = SimulatedModel.extend(hash, r.ids()[i]);
        }
        return hash;
    }

    private void keepRoom(int slot) {
        if (slot >= hashes.length) {
            hashes = Arrays.copyOf(hashes, Math.max(slot + 1, hashes.length * 2));
            hashed = Arrays.copyOf(hashed, hashes.length);
        }
    }

    @Override
    public int kvBytesPerToken() {
        return profile.kvBytesPerToken();
    }

    @Override
    public long kvBytes(int tokens) {
        return (long) tokens * wireBytesPerToken;
    }

    /** For each token the hash of all ids up to it, stretched over its bytes: no other prefix has the same. */
    @Override
    public byte[] exportKv(Request r, int tokens) {
        ByteBuffer bytes = ByteBuffer.allocate(Math.toIntExact(kvBytes(tokens))).order(ByteOrder.LITTLE_ENDIAN);
        long hash = SimulatedModel.START;
        for (int i = 0; i < tokens; i++) {
            hash = SimulatedModel.extend(hash, r.ids()[i]);
            for (int word = 0; word < wireBytesPerToken / Long.BYTES; word++) {
                bytes.putLong(SimulatedModel.extend(hash, word));
            }
        }
        return bytes.array();
    }

    @Override
    public boolean importKv(Request r, int tokens, byte[] kv) {
        return Arrays.equals(kv, exportKv(r, tokens));
    }

    @Override
    public void release(int slot) {
        if (slot < hashed.length) {
            hashed[slot] = -1;
        }
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
