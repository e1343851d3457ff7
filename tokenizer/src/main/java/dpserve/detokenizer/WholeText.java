package dpserve.detokenizer;

import dpserve.io.model.Vocabulary;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * Text of tokens decoded all at once: the rule that {@link Detokenizer} keeps for tokens that come in pieces, for tests
 * and for clients that check replies.
 */
public final class WholeText {
    private WholeText() {}

    /**
     * The UTF-8 decoding of all tokens' bytes; malformed ones become U+FFFD.
     *
     * @param ids those outside the vocabulary count as token 0, as in SGLang
     */
    public static String decode(Vocabulary vocabulary, int[] ids, boolean skipSpecialTokens) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        for (int id : ids) {
            int known = id < 0 || id >= vocabulary.size() ? TokenTable.REPLACEMENT_ID : id;
            if (!(skipSpecialTokens && vocabulary.isSpecial(known))) {
                bytes.writeBytes(vocabulary.tokenBytes(known));
            }
        }
        return bytes.toString(StandardCharsets.UTF_8);
    }

    /**
     * What the output adds to its prompt: the text of both without as many code points as the prompt's text has. A
     * character that begins in the prompt and ends in the output is not part of the reply, since the prompt's own text
     * has a U+FFFD in its place.
     */
    public static String reply(Vocabulary vocabulary, int[] promptIds, int[] outputIds, boolean skipSpecialTokens) {
        int[] both = Arrays.copyOf(promptIds, promptIds.length + outputIds.length);
        System.arraycopy(outputIds, 0, both, promptIds.length, outputIds.length);
        String prompt = decode(vocabulary, promptIds, skipSpecialTokens);
        String whole = decode(vocabulary, both, skipSpecialTokens);
        return whole.substring(whole.offsetByCodePoints(0, prompt.codePointCount(0, prompt.length())));
    }
}
