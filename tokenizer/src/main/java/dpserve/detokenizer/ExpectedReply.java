package dpserve.detokenizer;

import dpserve.io.SimulatedModel;
import dpserve.io.message.FinishReason;
import dpserve.io.message.SamplingParams;
import dpserve.io.model.Vocabulary;
import java.util.Arrays;

/**
 * What a simulated engine must answer to a request, computed by the rules of docs/protocol.md section 9 without any of
 * the processes: for tests, and for clients that verify replies.
 *
 * @param outputIds all output ids, the one that ended the output included
 * @param text of the whole reply, trimmed as a client sees it
 * @param finishReason never an abort
 */
public record ExpectedReply(int[] outputIds, String text, FinishReason finishReason) {

    /**
     * After each token the reasons to end are looked at in SGLang's order: a stop string anywhere in the output's text,
     * the first of the list that matches; EOS or a stop token id; the length. With ignore_eos only stop token ids end the
     * output; below min_new_tokens no token does, while a stop string does.
     *
     * @param params with {@code maxNewTokens} as the scheduler clips it, never null
     */
    public static ExpectedReply of(
            SimulatedModel model, Vocabulary vocabulary, int[] promptIds, SamplingParams params) {
        int[] output =
                model.expectedOutput(promptIds, params.maxNewTokens(), params.minNewTokens(), params.ignoreEos());
        for (int length = 1; length <= output.length; length++) {
            FinishReason reason = reasonAfter(model, vocabulary, output, length, params);
            if (reason != null) {
                return end(vocabulary, promptIds, Arrays.copyOf(output, length), reason, params);
            }
        }
        return end(vocabulary, promptIds, output, new FinishReason.Length(output.length), params);
    }

    private static FinishReason reasonAfter(
            SimulatedModel model, Vocabulary vocabulary, int[] output, int length, SamplingParams params) {
        if (!params.stopStrs().isEmpty()) {
            String text = WholeText.decode(vocabulary, Arrays.copyOf(output, length), params.skipSpecialTokens());
            for (String stop : params.stopStrs()) {
                if (!stop.isEmpty() && text.contains(stop)) {
                    return new FinishReason.StopString(stop);
                }
            }
        }
        int token = output[length - 1];
        boolean isStop = contains(params.stopTokenIds(), token) || token == model.eosTokenId() && !params.ignoreEos();
        if (isStop && length > params.minNewTokens()) {
            return new FinishReason.StopToken(token);
        }
        return length == params.maxNewTokens() ? new FinishReason.Length(length) : null;
    }

    private static ExpectedReply end(
            Vocabulary vocabulary, int[] promptIds, int[] output, FinishReason reason, SamplingParams params) {
        boolean trim = !params.noStopTrim();
        int[] shown =
                trim && reason instanceof FinishReason.StopToken ? Arrays.copyOf(output, output.length - 1) : output;
        String text = WholeText.reply(vocabulary, promptIds, shown, params.skipSpecialTokens());
        if (trim && reason instanceof FinishReason.StopString stop) {
            int at = text.indexOf(stop.matched());
            text = at < 0 ? text : text.substring(0, at);
        }
        return new ExpectedReply(output, text, reason);
    }

    private static boolean contains(int[] ids, int id) {
        for (int one : ids) {
            if (one == id) {
                return true;
            }
        }
        return false;
    }
}
