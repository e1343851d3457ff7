package dpserve.tokenizer;

import com.knuddels.jtokkit.Encodings;
import com.knuddels.jtokkit.api.Encoding;
import com.knuddels.jtokkit.api.EncodingType;
import com.knuddels.jtokkit.api.IntArrayList;

/**
 * The cl100k_base vocabulary, which comes inside the jtokkit jar.
 *
 * <p>Ids 0 to 100255 are ordinary tokens, 100257 to 100260 and 100276 special ones. 100256 and 100261 to 100275 name no
 * token; they are accepted and stand for no bytes.
 *
 * <p>Nothing is read before the first use, because parsing the vocabulary takes a few hundred milliseconds; a process
 * that wants that before its first request calls {@link #load}.
 */
public final class JtokkitVocabulary implements Vocabulary {
    private static final int SIZE = 100_277;
    private static final int LAST_ORDINARY = 100_255;
    private static final int END_OF_TEXT = 100_257;
    private static final int LAST_CONTIGUOUS_SPECIAL = 100_260;
    private static final byte[] NO_BYTES = {};

    private volatile Encoding encoding;
    private volatile byte[][] bytesOfToken;

    /** Reads the vocabulary and the bytes of its tokens now. */
    public JtokkitVocabulary load() {
        table();
        return this;
    }

    @Override
    public int[] encode(String text) {
        return encoding().encodeOrdinary(repaired(text)).toArray();
    }

    @Override
    public byte[] tokenBytes(int id) {
        return id < 0 || id >= SIZE ? NO_BYTES : table()[id];
    }

    @Override
    public int size() {
        return SIZE;
    }

    @Override
    public int eosTokenId() {
        return END_OF_TEXT;
    }

    @Override
    public boolean isSpecial(int id) {
        return id > LAST_ORDINARY && id < SIZE && !isHole(id);
    }

    /** jtokkit's result for a text with unpaired surrogates is undefined. */
    private static String repaired(String text) {
        StringBuilder repaired = null;
        for (int i = 0; i < text.length(); i++) {
            if (!Character.isSurrogate(text.charAt(i))) {
                continue;
            }
            if (Character.charCount(text.codePointAt(i)) == 2) {
                i++;
                continue;
            }
            repaired = repaired == null ? new StringBuilder(text) : repaired;
            repaired.setCharAt(i, '\ufffd');
        }
        return repaired == null ? text : repaired.toString();
    }

    private static boolean isHole(int id) {
        return id == LAST_ORDINARY + 1 || id > LAST_CONTIGUOUS_SPECIAL && id < SIZE - 1;
    }

    private Encoding encoding() {
        Encoding e = encoding;
        if (e == null) {
            synchronized (this) {
                e = encoding;
                if (e == null) {
                    e = Encodings.newLazyEncodingRegistry().getEncoding(EncodingType.CL100K_BASE);
                    encoding = e;
                }
            }
        }
        return e;
    }

    private byte[][] table() {
        byte[][] t = bytesOfToken;
        if (t == null) {
            synchronized (this) {
                t = bytesOfToken;
                if (t == null) {
                    t = readTable(encoding());
                    bytesOfToken = t;
                }
            }
        }
        return t;
    }

    private static byte[][] readTable(Encoding encoding) {
        byte[][] table = new byte[SIZE][];
        IntArrayList one = new IntArrayList(1);
        for (int id = 0; id < SIZE; id++) {
            one.clear();
            one.add(id);
            table[id] = isHole(id) ? NO_BYTES : encoding.decodeBytes(one);
        }
        return table;
    }
}
