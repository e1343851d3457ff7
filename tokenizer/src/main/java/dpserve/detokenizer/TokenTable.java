package dpserve.detokenizer;

import dpserve.io.model.Vocabulary;

/**
 * The bytes of every token of a vocabulary, one after the other in a single array: appending a token is one short copy
 * out of memory that lies close together.
 */
final class TokenTable {
    /** What stands for an id outside the vocabulary, as in SGLang's detokenizer. */
    static final int REPLACEMENT_ID = 0;

    private final Vocabulary vocabulary;
    private final byte[] bytes;

    /** Token id's bytes are {@code bytes[starts[id]]} to {@code bytes[starts[id + 1]]}. */
    private final int[] starts;

    private final int firstSpecial;

    TokenTable(Vocabulary vocabulary) {
        this.vocabulary = vocabulary;
        int size = vocabulary.size();
        starts = new int[size + 1];
        int special = size;
        for (int id = 0; id < size; id++) {
            starts[id + 1] = starts[id] + vocabulary.tokenBytes(id).length;
            if (special == size && vocabulary.isSpecial(id)) {
                special = id;
            }
        }
        firstSpecial = special;
        bytes = new byte[starts[size]];
        for (int id = 0; id < size; id++) {
            byte[] token = vocabulary.tokenBytes(id);
            System.arraycopy(token, 0, bytes, starts[id], token.length);
        }
    }

    /** Whether the id is within the vocabulary; {@link #append} takes only such ids. */
    boolean accepts(int id) {
        return id >= 0 && id < starts.length - 1;
    }

    /** Appends a token's bytes; nothing for a special token that is to be skipped. */
    void append(int id, boolean skipSpecial, ByteBuilder to) {
        if (id >= firstSpecial && skipSpecial && vocabulary.isSpecial(id)) {
            return;
        }
        to.append(bytes, starts[id], starts[id + 1]);
    }
}
