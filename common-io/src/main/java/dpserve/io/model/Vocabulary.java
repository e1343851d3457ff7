package dpserve.io.model;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;

/**
 * A byte-level vocabulary: every token stands for a fixed sequence of bytes, and the text of a sequence of tokens is the
 * UTF-8 decoding of their bytes joined. One token may hold a part of a character. Implementations are safe for several
 * threads.
 */
public interface Vocabulary {

    /**
     * The tokens of a text. Joined, their bytes are the UTF-8 bytes of the text; an unpaired surrogate
     * counts as U+FFFD.
     *
     * <p>What a user wrote is never read as a special token: {@code <|endoftext|>} in it becomes the tokens of its
     * letters.
     */
    int[] encode(String text);

    /** The tokens of a whole prompt: of the text, and before it what the model wants at its beginning, if anything (BOS). */
    default int[] encodePrompt(String text) {
        return encode(text);
    }

    /**
     * The tokens of a chat in the model's format, up to where the assistant's next turn begins. Names of special tokens
     * within a message stay text, so no message can end its turn or begin another's.
     *
     * @throws IllegalArgumentException if the format cannot express this chat, in words for the client
     */
    int[] encodeChat(List<ChatTurn> turns);

    /**
     * The bytes a token stands for; those of a special token are the UTF-8 of its name.
     *
     * @return empty for an id that names no token: negative, too large, or one of the holes in the id space. Shared: never change it
     */
    byte[] tokenBytes(int id);

    /** Number of ids accepted: the highest one + 1. Ids below it may still name no token. */
    int size();

    /** Most bytes any token stands for, 1 or more: a text of n bytes has at least n divided by this many tokens. */
    int longestTokenBytes();

    /** The token that ends a text. */
    int eosTokenId();

    /** Whether the id is a token that marks structure and is left out of text with {@code skip_special_tokens}. */
    boolean isSpecial(int id);

    /** The text of ids, special tokens included; bytes that are not UTF-8 become U+FFFD. */
    default String text(int[] ids) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        for (int id : ids) {
            bytes.writeBytes(tokenBytes(id));
        }
        return bytes.toString(StandardCharsets.UTF_8);
    }
}
