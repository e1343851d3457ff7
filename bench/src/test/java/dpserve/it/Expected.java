package dpserve.it;

import com.fasterxml.jackson.databind.JsonNode;
import dpserve.detokenizer.WholeText;
import dpserve.io.SimulatedModel;
import dpserve.tokenizer.JtokkitVocabulary;
import java.util.Arrays;

/** What a reply must be: the simulated model and the vocabulary, decoded as one whole. */
final class Expected {
    private static final SimulatedModel MODEL = SimulatedModel.create();
    private static final JtokkitVocabulary VOCABULARY = new JtokkitVocabulary();

    private Expected() {}

    /** A whole output: its ids (EOS included where it ends the output) and its text. */
    record Output(int[] ids, String text) {
        String finish() {
            return ids.length > 0 && ids[ids.length - 1] == MODEL.eosTokenId() ? "stop" : "length";
        }
    }

    /** The tokens of a prompt. */
    static int[] encode(String text) {
        return VOCABULARY.encode(text);
    }

    /** The output for a prompt, EOS allowed. */
    static Output of(int[] prompt, int maxNewTokens) {
        return output(prompt, MODEL.expectedOutput(prompt, maxNewTokens, 0, false));
    }

    /** The output with ignore_eos. */
    static Output full(int[] prompt, int maxNewTokens) {
        return output(prompt, MODEL.expectedOutput(prompt, maxNewTokens, 0, true));
    }

    private static Output output(int[] prompt, int[] ids) {
        return new Output(ids, text(prompt, ids));
    }

    /** The text of a reply that consists of these ids; a final EOS is not part of it. */
    static String text(int[] prompt, int[] ids) {
        boolean ended = ids.length > 0 && ids[ids.length - 1] == MODEL.eosTokenId();
        return WholeText.reply(VOCABULARY, prompt, ended ? Arrays.copyOf(ids, ids.length - 1) : ids, true);
    }

    /** The ids of a JSON array. */
    static int[] ids(JsonNode array) {
        int[] ids = new int[array.size()];
        for (int i = 0; i < ids.length; i++) {
            ids[i] = array.get(i).asInt();
        }
        return ids;
    }
}
