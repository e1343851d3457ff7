package dpserve.tokenizer;

import java.util.List;

/**
 * The chat format of the simulated model: each turn is {@code <|role|>}, a newline, the content and a newline; then the
 * assistant's turn begins. Plain text throughout, so content can never pass for a special token.
 */
public final class ChatTemplate {
    private ChatTemplate() {}

    /** One message of a chat. */
    public record Turn(String role, String content) {}

    /** The prompt of a chat. */
    public static String render(List<Turn> turns) {
        StringBuilder prompt = new StringBuilder();
        for (Turn turn : turns) {
            prompt.append("<|")
                    .append(turn.role())
                    .append("|>\n")
                    .append(turn.content())
                    .append('\n');
        }
        return prompt.append("<|assistant|>\n").toString();
    }
}
