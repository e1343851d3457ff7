package dpserve.io.model;

import java.util.regex.Pattern;

/**
 * One message of a chat.
 *
 * @param role who speaks: a word of lower-case letters such as {@code user}; it goes into the prompt as it is, so
 *     anything else could pass for a special token
 * @param content any text
 */
public record ChatTurn(String role, String content) {
    private static final Pattern WORD = Pattern.compile("[a-z_]{1,32}");

    /**
     * @throws IllegalArgumentException if the role is not such a word
     */
    public ChatTurn {
        if (!WORD.matcher(role).matches()) {
            throw new IllegalArgumentException("role must be a word of at most 32 lower-case letters");
        }
    }
}
