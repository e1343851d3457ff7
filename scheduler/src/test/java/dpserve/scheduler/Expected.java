package dpserve.scheduler;

import dpserve.io.SimulatedModel;
import dpserve.io.message.FinishReason;
import dpserve.io.message.SamplingParams;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** What a request must produce, by the plainest possible means: the whole output looked at after each token. */
record Expected(int[] ids, FinishReason reason) {
    static final SimulatedModel MODEL = SimulatedModel.create();

    static Expected of(int[] prompt, SamplingParams params, int maxNewTokens) {
        int[] all = MODEL.expectedOutput(prompt, maxNewTokens, params.minNewTokens(), params.ignoreEos());
        for (int n = 1; n <= all.length; n++) {
            int[] ids = Arrays.copyOf(all, n);
            int last = ids[n - 1];
            for (String stop : params.stopStrs()) {
                if (contains(bytes(ids), stop.getBytes(StandardCharsets.UTF_8))) {
                    return new Expected(ids, new FinishReason.StopString(stop));
                }
            }
            boolean eos = last == MODEL.eosTokenId() && !params.ignoreEos();
            boolean listed = Arrays.stream(params.stopTokenIds()).anyMatch(id -> id == last);
            if (n > params.minNewTokens() && (eos || listed)) {
                return new Expected(ids, new FinishReason.StopToken(last));
            }
        }
        return new Expected(all, new FinishReason.Length(maxNewTokens));
    }

    static String text(int[] ids) {
        return new String(bytes(ids), StandardCharsets.UTF_8);
    }

    static byte[] bytes(int[] ids) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        for (int id : ids) {
            out.writeBytes(MODEL.tokenBytes(id));
        }
        return out.toByteArray();
    }

    private static boolean contains(byte[] text, byte[] part) {
        for (int at = 0; at + part.length <= text.length; at++) {
            if (Arrays.equals(text, at, at + part.length, part, 0, part.length)) {
                return true;
            }
        }
        return false;
    }
}
