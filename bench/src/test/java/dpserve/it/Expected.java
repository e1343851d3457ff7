package dpserve.it;

import dpserve.io.SimulatedModel;
import dpserve.tokenizer.JtokkitVocabulary;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** What a reply must be: the simulated model and the vocabulary, without any of the serving code. */
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
        return output(MODEL.expectedOutput(prompt, maxNewTokens, 0, false));
    }

    /** The output with ignore_eos. */
    static Output full(int[] prompt, int maxNewTokens) {
        return output(MODEL.expectedOutput(prompt, maxNewTokens, 0, true));
    }

    private static Output output(int[] ids) {
        return new Output(ids, text(ids));
    }

    /** The text of ids: their bytes joined and decoded at once. */
    static String text(int[] ids) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        Arrays.stream(ids).mapToObj(MODEL::tokenBytes).forEach(bytes::writeBytes);
        return bytes.toString(StandardCharsets.UTF_8);
    }
}
