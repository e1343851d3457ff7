package dpserve.scheduler;

import dpserve.io.model.NextToken;
import dpserve.io.model.StepModel;
import dpserve.io.model.StepModel.Entry;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** A real model as this scheduler's engine. */
public final class ModelEngine implements Engine {
    private final StepModel model;

    public ModelEngine(StepModel model) {
        this.model = model;
    }

    @Override
    public StepResult run(Batch batch) {
        List<Entry> step = new ArrayList<>(batch.size());
        for (int i = 0; i < batch.size(); i++) {
            step.add(entry(batch, i));
        }
        NextToken[] tokens = model.run(step);
        int[] next = new int[tokens.length];
        for (int i = 0; i < next.length; i++) {
            next[i] = tokens[i] == null ? NO_TOKEN : tokens[i].id();
        }
        return new StepResult(next, tokens, 0);
    }

    private static Entry entry(Batch batch, int i) {
        Request r = batch.request(i);
        Long seed = r.params().samplingSeed();
        return new Entry(
                r.slot(),
                namespace(r),
                r.ids(),
                batch.to(i),
                r.promptLength(),
                batch.completes(i),
                r.params(),
                r.outputLength() >= r.params().minNewTokens(),
                // Without a seed every attempt draws for itself.
                seed == null ? r.ridHash() : seed,
                r.input().returnLogprob() ? r.input().topLogprobsNum() : NextToken.NO_LOGPROBS);
    }

    @Override
    public int kvBytesPerToken() {
        return Math.toIntExact(model.kvBytes(2) - model.kvBytes(1));
    }

    @Override
    public long kvBytes(int tokens) {
        return Integer.BYTES + model.kvBytes(tokens);
    }

    /** Before the KV a hash of the tokens: a model cannot see whose KV it is given. */
    @Override
    public byte[] exportKv(Request r, int tokens) {
        byte[] kv = model.exportKv(r.slot(), tokens);
        return ByteBuffer.allocate(Integer.BYTES + kv.length)
                .putInt(hash(r, tokens))
                .put(kv)
                .array();
    }

    @Override
    public boolean importKv(Request r, int tokens, byte[] kv) {
        if (kv.length < Integer.BYTES || ByteBuffer.wrap(kv).getInt() != hash(r, tokens)) {
            return false;
        }
        byte[] rest = Arrays.copyOfRange(kv, Integer.BYTES, kv.length);
        return model.importKv(r.slot(), namespace(r), r.ids(), tokens, rest);
    }

    private static int hash(Request r, int tokens) {
        return Arrays.hashCode(Arrays.copyOf(r.ids(), tokens));
    }

    private static String namespace(Request r) {
        String extraKey = r.input().extraKey();
        return extraKey == null ? "" : extraKey;
    }

    @Override
    public void release(int slot) {
        model.release(slot);
    }

    @Override
    public void flush() {
        model.flush();
    }

    @Override
    public int vocabularySize() {
        return model.vocabularySize();
    }

    @Override
    public byte[] tokenBytes(int tokenId) {
        return model.tokenBytes(tokenId);
    }

    @Override
    public boolean isEos(int tokenId) {
        return model.isEos(tokenId);
    }
}
