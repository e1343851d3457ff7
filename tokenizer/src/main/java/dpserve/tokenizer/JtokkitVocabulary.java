package dpserve.tokenizer;

import com.knuddels.jtokkit.Encodings;
import com.knuddels.jtokkit.api.Encoding;
import com.knuddels.jtokkit.api.EncodingType;
import dpserve.io.model.ChatTurn;
import dpserve.io.model.Vocabulary;
import java.util.List;

/**
 * The cl100k_base vocabulary, which comes inside the jtokkit jar.
 *
 * <p>Ids 0 to 100255 are ordinary tokens, 100257 to 100260 and 100276 special ones. 100256 and 100261 to 100275 name no
 * token; they are accepted and stand for no bytes.
 *
 * <p>Nothing is read before it is used: making the encoder takes a few hundred milliseconds and 12 MB, the bytes of the
 * tokens much less.
 */
public final class JtokkitVocabulary implements Vocabulary {
    /** The longest token is one of 128 spaces. */
    static final int LONGEST_TOKEN_BYTES = 128;

    private static final byte[] NO_BYTES = {};

    private volatile Encoding encoding;
    private volatile byte[][] bytesOfToken;

    @Override
    public int[] encode(String text) {
        return encoding().encodeOrdinary(repaired(text)).toArray();
    }

    @Override
    public int[] encodeChat(List<ChatTurn> turns) {
        return encode(ChatTemplate.render(turns));
    }

    @Override
    public byte[] tokenBytes(int id) {
        return id < 0 || id >= Cl100kTokenBytes.SIZE ? NO_BYTES : table()[id];
    }

    @Override
    public int size() {
        return Cl100kTokenBytes.SIZE;
    }

    @Override
    public int longestTokenBytes() {
        return LONGEST_TOKEN_BYTES;
    }

    @Override
    public int eosTokenId() {
        return Cl100kTokenBytes.END_OF_TEXT;
    }

    @Override
    public boolean isSpecial(int id) {
        return Cl100kTokenBytes.isSpecial(id);
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
                    t = Cl100kTokenBytes.read();
                    bytesOfToken = t;
                }
            }
        }
        return t;
    }
}
