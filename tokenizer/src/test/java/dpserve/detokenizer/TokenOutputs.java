package dpserve.detokenizer;

import dpserve.io.message.BatchTokenIDOutput;
import dpserve.io.message.FinishReason;
import dpserve.io.message.GetLoadReqOutput;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Builds batches as a scheduler sends them. */
final class TokenOutputs {
    private final List<Row> rows = new ArrayList<>();
    private GetLoadReqOutput load;

    /**
     * One request's part of a batch.
     *
     * @param promptTokens how many of {@code decodeIds}, at the front, are the prompt's
     * @param completionTokens output tokens so far, these included
     */
    record Row(
            String rid,
            String ipc,
            FinishReason finished,
            String seed,
            int[] decodeIds,
            int promptTokens,
            int completionTokens,
            boolean skipSpecial,
            boolean noStopTrim) {

        /** A first emission: prompt tokens, then output tokens. */
        static Row first(String rid, int[] prompt, int... output) {
            int[] ids = Arrays.copyOf(prompt, prompt.length + output.length);
            System.arraycopy(output, 0, ids, prompt.length, output.length);
            return new Row(rid, null, null, "", ids, prompt.length, output.length, true, false);
        }

        /** A later emission. */
        static Row later(String rid, int completionTokens, int... output) {
            return new Row(rid, null, null, "", output, 3, completionTokens, true, false);
        }

        Row finished(FinishReason reason) {
            return new Row(rid, ipc, reason, seed, decodeIds, promptTokens, completionTokens, skipSpecial, noStopTrim);
        }

        Row to(String endpoint) {
            return new Row(
                    rid, endpoint, finished, seed, decodeIds, promptTokens, completionTokens, skipSpecial, noStopTrim);
        }

        Row seed(String text) {
            return new Row(
                    rid, ipc, finished, text, decodeIds, promptTokens, completionTokens, skipSpecial, noStopTrim);
        }

        Row keepingSpecial() {
            return new Row(rid, ipc, finished, seed, decodeIds, promptTokens, completionTokens, false, noStopTrim);
        }

        Row notTrimmed() {
            return new Row(rid, ipc, finished, seed, decodeIds, promptTokens, completionTokens, skipSpecial, true);
        }

        /** Only a first emission's prompt tokens are no outputs. */
        int[] outputIds() {
            boolean first = completionTokens + promptTokens == decodeIds.length;
            return Arrays.copyOfRange(decodeIds, first ? promptTokens : 0, decodeIds.length);
        }
    }

    static BatchTokenIDOutput of(Row... rows) {
        TokenOutputs outputs = new TokenOutputs();
        outputs.rows.addAll(List.of(rows));
        return outputs.build();
    }

    static BatchTokenIDOutput withLoad(GetLoadReqOutput load, Row... rows) {
        TokenOutputs outputs = new TokenOutputs();
        outputs.rows.addAll(List.of(rows));
        outputs.load = load;
        return outputs.build();
    }

    private BatchTokenIDOutput build() {
        int n = rows.size();
        boolean[] skip = new boolean[n];
        boolean[] noTrim = new boolean[n];
        for (int i = 0; i < n; i++) {
            skip[i] = rows.get(i).skipSpecial;
            noTrim[i] = rows.get(i).noStopTrim;
        }
        return new BatchTokenIDOutput(
                rows.stream().map(Row::rid).toArray(String[]::new),
                rows.stream().map(Row::ipc).toArray(String[]::new),
                rows.stream().map(Row::finished).toArray(FinishReason[]::new),
                rows.stream().map(Row::seed).toArray(String[]::new),
                rows.stream().map(Row::decodeIds).toArray(int[][]::new),
                rows.stream().mapToInt(Row::promptTokens).toArray(),
                rows.stream().map(Row::outputIds).toArray(int[][]::new),
                skip,
                new boolean[n],
                noTrim,
                rows.stream().mapToInt(r -> 100 + r.rid.hashCode() % 50).toArray(),
                new int[n],
                rows.stream().mapToInt(Row::completionTokens).toArray(),
                rows.stream().mapToInt(r -> 7 + r.completionTokens).toArray(),
                new int[n],
                rows.stream().map(r -> Integer.valueOf(2)).toArray(Integer[]::new),
                load);
    }
}
