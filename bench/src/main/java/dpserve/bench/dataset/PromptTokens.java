package dpserve.bench.dataset;

import dpserve.io.model.Vocabulary;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Random;

/**
 * Turns {@link TokenRun}s into ids and text. Generated prompts are made of tokens that are a space and ASCII letters: the
 * text of any sequence of them is split back into exactly those tokens, so a prompt has the wanted length whether it is sent
 * as ids or as text. Safe for several threads.
 */
public final class PromptTokens {
    /** Fewer words than this would make prompts share prefixes by chance. */
    private static final int FEWEST_WORDS = 16;

    private final Vocabulary vocabulary;
    private final int[] words;
    private final int ordinary;

    /**
     * Looks at every token once.
     *
     * @throws IllegalArgumentException if the vocabulary has next to no word tokens
     */
    public PromptTokens(Vocabulary vocabulary) {
        this.vocabulary = vocabulary;
        int[] found = new int[vocabulary.size()];
        int n = 0;
        int id = 0;
        for (; id < vocabulary.size() && !vocabulary.isSpecial(id) && vocabulary.tokenBytes(id).length > 0; id++) {
            if (isWord(vocabulary.tokenBytes(id))) {
                found[n++] = id;
            }
        }
        if (n < FEWEST_WORDS) {
            throw new IllegalArgumentException("the vocabulary has " + n + " word tokens, too few to make prompts of");
        }
        words = Arrays.copyOf(found, n);
        ordinary = id;
    }

    private static boolean isWord(byte[] bytes) {
        if (bytes.length < 2 || bytes[0] != ' ') {
            return false;
        }
        for (int i = 1; i < bytes.length; i++) {
            int lower = bytes[i] | 0x20;
            if (lower < 'a' || lower > 'z') {
                return false;
            }
        }
        return true;
    }

    /** Number of ids, counted from 0, that are ordinary tokens. */
    public int ordinary() {
        return ordinary;
    }

    /** The prompt's ids; a new array. */
    public int[] ids(Prompt.Tokens prompt) {
        int[] ids = new int[prompt.length()];
        int at = 0;
        for (TokenRun run : prompt.runs()) {
            fill(run, ids, at);
            at += run.length();
        }
        return ids;
    }

    private void fill(TokenRun run, int[] ids, int at) {
        if (run instanceof TokenRun.Words w) {
            Random random = new Random(w.seed());
            for (int i = 0; i < w.length(); i++) {
                ids[at + i] = words[random.nextInt(words.length)];
            }
        } else if (run instanceof TokenRun.Counting c) {
            for (int i = 0; i < c.length(); i++) {
                ids[at + i] = (int) ((c.first() + i) % ordinary);
            }
        } else if (run instanceof TokenRun.Literal l) {
            System.arraycopy(l.ids(), 0, ids, at, l.length());
        }
    }

    /** The text of the ids; bytes that are not UTF-8 become U+FFFD, so that counting ids may not survive as text. */
    public String text(int[] ids) {
        return text(ids, ids.length);
    }

    /** The text of the first {@code length} ids. */
    public String text(int[] ids, int length) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream(length * 6);
        for (int i = 0; i < length; i++) {
            bytes.writeBytes(vocabulary.tokenBytes(ids[i]));
        }
        return bytes.toString(StandardCharsets.UTF_8);
    }

    /** The ids of a text, as the server makes them. */
    public int[] encode(String text) {
        return vocabulary.encode(text);
    }
}
