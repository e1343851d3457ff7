package dpserve.tokenizer;

import dpserve.io.model.ChatTurn;
import java.util.List;

/**
 * The chat format of the simulated model: each turn is {@code <|role|>}, a newline, the content and a newline; then the
 * assistant's turn begins. Plain text throughout, so content can never pass for a special token.
 */
public final class ChatTemplate {
    private ChatTemplate() {}

    /** The prompt of a chat. */
    public static String render(List<ChatTurn> turns) {
        StringBuilder prompt = new StringBuilder();
        for (ChatTurn turn : turns) {
            prompt.append("<|")
                    .append(turn.role())
                    .append("|>\n")
                    .append(turn.content())
                    .append('\n');
        }
        return prompt.append("<|assistant|>\n").toString();
    }
}
