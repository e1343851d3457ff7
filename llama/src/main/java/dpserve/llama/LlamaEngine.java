package dpserve.llama;

import dpserve.io.model.NextToken;
import dpserve.io.model.StepModel;
import java.util.List;

/** A GGUF model under a scheduler: its sequences' KV, one computation a step, and a sampler. */
public final class LlamaEngine implements StepModel {
    /** So many ended ones for each running sequence keep their KV, less one; a sequence number costs next to nothing. */
    private static final int NUMBERS_PER_SLOT = 16;

    private static final byte[] NO_BYTES = {};

    private final LlamaModel model;
    private final LlamaVocabulary vocabulary;
    private final LlamaBatchDecoder decoder;
    private final KvSequences sequences;
    private final TokenSampler sampler;
    private final boolean keepPrefixes;

    /** @param model closed together with this */
    LlamaEngine(LlamaModel model, Options options) {
        this.model = model;
        this.vocabulary = model.vocabulary();
        this.decoder = new LlamaBatchDecoder(
                model,
                new LlamaBatchDecoder.Options(
                        options.kvTokens(),
                        NUMBERS_PER_SLOT * options.slots(),
                        LlamaBatchDecoder.DEFAULT_MAX_BATCH_TOKENS,
                        options.threads()));
        this.sequences = new KvSequences(decoder);
        this.sampler = new TokenSampler(vocabulary.size(), vocabulary.endOfGenerationIds());
        this.keepPrefixes = options.keepPrefixes();
    }

    @Override
    public NextToken[] run(List<Entry> step) {
        for (Entry e : step) {
            sequences.add(e.slot(), e.namespace(), e.ids(), e.length(), e.wantToken());
        }
        NextToken[] tokens = new NextToken[step.size()];
        sequences.run((i, logits) -> tokens[i] = sample(step.get(i), logits));
        return tokens;
    }

    private NextToken sample(Entry e, float[] logits) {
        TokenSampler.Context context = new TokenSampler.Context(e.ids(), e.promptLength(), e.length(), e.mayEnd());
        return sampler.sample(logits, e.params(), context, e.seed(), e.topLogprobs());
    }

    @Override
    public void release(int slot) {
        sequences.release(slot);
        if (!keepPrefixes) {
            sequences.flush();
        }
    }

    @Override
    public long kvBytes(int tokens) {
        return sequences.stateBytes(tokens);
    }

    @Override
    public byte[] exportKv(int slot, int tokens) {
        return sequences.exportState(slot, tokens);
    }

    @Override
    public boolean importKv(int slot, String namespace, int[] ids, int tokens, byte[] kv) {
        try {
            sequences.importState(slot, namespace, ids, tokens, kv);
            return true;
        } catch (LlamaException e) {
            return false;
        }
    }

    @Override
    public void flush() {
        sequences.flush();
    }

    @Override
    public int vocabularySize() {
        return vocabulary.size();
    }

    @Override
    public int contextLength() {
        return model.contextLength();
    }

    @Override
    public byte[] tokenBytes(int tokenId) {
        return vocabulary.isSpecial(tokenId) ? NO_BYTES : vocabulary.tokenBytes(tokenId);
    }

    @Override
    public boolean isEos(int tokenId) {
        return vocabulary.isEndOfGeneration(tokenId);
    }

    @Override
    public String description() {
        return model.description();
    }

    @Override
    public void close() {
        decoder.close();
        model.close();
    }
}
