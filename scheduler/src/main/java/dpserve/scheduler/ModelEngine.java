package dpserve.scheduler;

import dpserve.io.model.NextToken;
import dpserve.io.model.StepModel;
import dpserve.io.model.StepModel.Entry;
import java.util.ArrayList;
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
        String extraKey = r.input().extraKey();
        Long seed = r.params().samplingSeed();
        return new Entry(
                r.slot(),
                extraKey == null ? "" : extraKey,
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
