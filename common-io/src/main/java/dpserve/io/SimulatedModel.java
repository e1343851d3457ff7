package dpserve.io;

import dpserve.io.model.Vocabulary;
import java.util.Arrays;

/**
 * The function behind simulated output: the next token is determined by all token ids before it, prompt and output
 * alike, and by nothing else. So the prefill of a prompt and k outputs continues exactly as the original would have, and
 * any client can compute what a reply must be (docs/protocol.md section 9).
 *
 * <p>The ids before it enter as a 64-bit hash that grows by one id at a time. Output reads as words; now and then a
 * character's bytes are split over several tokens, and such a chain is never interrupted: a token that begins one is
 * always followed by its next part, EOS included. (A prompt or {@code max_new_tokens} may still cut a chain.)
 *
 * <p>Immutable and safe for several threads; nothing here allocates but {@link #expectedOutput}.
 */
public final class SimulatedModel {
    /** The hash of no ids. */
    public static final long START = 0x243f6a8885a308d3L;

    /** {@code previousToken} where there is none: an empty prompt. */
    public static final int NO_TOKEN = -1;

    /** {@code <|endoftext|>} of cl100k_base, the vocabulary the embedded table was made from. */
    private static final int CL100K_EOS = 100_257;

    /** EOS comes where the top 8 bits of the mixed hash are 0: once in 256 tokens, so texts of that mean length. */
    private static final int EOS_SHIFT = 56;

    private final SimulatedVocabulary vocabulary;

    /** -1 if there is none. */
    private final int eos;

    private SimulatedModel(SimulatedVocabulary vocabulary, int eos) {
        this.vocabulary = vocabulary;
        this.eos = eos;
    }

    /** The model with its embedded table, which is a resource of this module. */
    public static SimulatedModel create() {
        return new SimulatedModel(SimulatedVocabulary.read(), CL100K_EOS);
    }

    /**
     * The model with the words of another vocabulary.
     *
     * @throws IllegalArgumentException if that holds neither words nor letters
     */
    public static SimulatedModel of(Vocabulary vocabulary) {
        return new SimulatedModel(SimulatedVocabulary.of(vocabulary), vocabulary.eosTokenId());
    }

    /** The hash after one more id. */
    public static long extend(long hash, int tokenId) {
        long h = (hash ^ tokenId) * 0xff51afd7ed558ccdL;
        return h ^ h >>> 32;
    }

    /** The hash of a whole sequence: {@link #START} extended by each id. */
    public static long hash(int[] ids) {
        long h = START;
        for (int id : ids) {
            h = extend(h, id);
        }
        return h;
    }

    /**
     * The token that follows.
     *
     * @param hash of all ids so far
     * @param previousToken the last of them, or {@link #NO_TOKEN}; it must be the one the hash ends with
     * @param allowEos false with ignore_eos and while fewer than min_new_tokens were made; then another token takes the
     *     place of EOS
     */
    public int next(long hash, int previousToken, boolean allowEos) {
        long mixed = (hash ^ hash >>> 29) * 0x9e3779b97f4a7c15L;
        mixed ^= mixed >>> 32;
        int[] following = vocabulary.following(previousToken);
        if (following != null) {
            return following[draw(mixed, following.length)];
        }
        if (allowEos && eos >= 0 && mixed >>> EOS_SHIFT == 0) {
            return eos;
        }
        return vocabulary.slot(draw(mixed, vocabulary.slots()));
    }

    /** 0 to bound - 1, evenly, from the lower half of the hash. */
    private static int draw(long mixed, int bound) {
        return (int) ((mixed & 0xffffffffL) * bound >>> 32);
    }

    /** The token that ends a text; -1 if there is none. */
    public int eosTokenId() {
        return eos;
    }

    /**
     * The bytes of a token this model can produce.
     *
     * @return empty for EOS and for ids outside the table. Shared: never change it
     */
    public byte[] tokenBytes(int id) {
        return vocabulary.bytes(id);
    }

    /** Every id this model can produce but EOS, ascending. */
    public int[] tokenIds() {
        return vocabulary.ids();
    }

    /**
     * The whole output of a request without stop strings and stop token ids.
     *
     * @param maxNewTokens length at which it is cut
     * @param minNewTokens EOS is suppressed while fewer tokens than these were made
     * @param ignoreEos suppresses EOS altogether
     * @return the output ids, EOS included where it ends the output
     */
    public int[] expectedOutput(int[] promptIds, int maxNewTokens, int minNewTokens, boolean ignoreEos) {
        int[] output = new int[maxNewTokens];
        long hash = hash(promptIds);
        int previous = promptIds.length == 0 ? NO_TOKEN : promptIds[promptIds.length - 1];
        for (int made = 0; made < maxNewTokens; made++) {
            previous = next(hash, previous, !ignoreEos && made >= minNewTokens);
            hash = extend(hash, previous);
            output[made] = previous;
            if (previous == eos) {
                return Arrays.copyOf(output, made + 1);
            }
        }
        return output;
    }
}
