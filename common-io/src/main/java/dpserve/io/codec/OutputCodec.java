package dpserve.io.codec;

import dpserve.io.message.BatchStrOutput;
import dpserve.io.message.BatchTokenIDOutput;
import dpserve.io.message.FinishReason;
import dpserve.io.message.GetLoadReqOutput;
import dpserve.io.message.Stamps;
import dpserve.io.model.NextToken;

/** Output batches: scheduler to detokenizer to tokenizer manager. */
final class OutputCodec {
    static final String TOKEN_IDS = "BatchTokenIDOutput";
    static final String STRINGS = "BatchStrOutput";

    private static final int TOKEN_IDS_LENGTH = 54;
    private static final int STRINGS_LENGTH = 49;

    /** Elements up to the last required field, {@code placeholder_tokens_val}, at the pinned release. */
    private static final int TOKEN_IDS_REQUIRED = 15;

    private static final int STRINGS_REQUIRED = 10;

    private OutputCodec() {}

    static void write(WireWriter out, BatchTokenIDOutput m) {
        out.struct(TOKEN_IDS, TOKEN_IDS_LENGTH + (m.load() == null && m.stamps() == null ? 0 : 1));
        out.texts(m.rids()); // 1
        out.texts(m.httpWorkerIpcs()); // 2
        Columns.writeFinishReasons(out, m.finishedReasons()); // 3
        out.texts(m.decodedTexts()); // 4
        out.tokenIdLists(m.decodeIds()); // 5
        out.ints(m.readOffsets()); // 6
        out.tokenIdLists(m.outputIds()); // 7
        out.bools(m.skipSpecialTokens()); // 8
        out.bools(m.spacesBetweenSpecialTokens()); // 9
        out.bools(m.noStopTrim()); // 10
        out.ints(m.promptTokens()); // 11
        out.ints(m.reasoningTokens()); // 12
        out.ints(m.completionTokens()); // 13
        out.ints(m.cachedTokens()); // 14
        LogprobColumns.write(out, m.logprobs()); // 15 to 26
        out.nils(7); // 27 to 33: entropy, sampling mask, hidden states, experts, placeholders
        out.ints(m.retractionCounts()); // 34
        out.nils(5); // 35 beam_search_output to 39 cached_tokens_details
        out.optInts(m.dpRanks()); // 40
        out.nils(13); // 41 time_stats to 53
        writeExt(out, m.load(), m.stamps());
    }

    static BatchTokenIDOutput readTokenIds(WireScanner in, int length) throws CodecException {
        StructReader s = new StructReader(in, TOKEN_IDS, length, 1, TOKEN_IDS_REQUIRED);
        s.to(1);
        String[] rids = rids(in);
        int size = rids.length;
        s.to(2);
        String[] ipcs = ipcs(in, size);
        s.to(3);
        FinishReason[] reasons = Columns.finishReasons(in, size);
        s.to(4);
        String[] decodedTexts = Columns.texts(in, size, "decoded_texts");
        s.to(5);
        int[][] decodeIds = Columns.tokenIdLists(in, size, "decode_ids");
        s.to(6);
        int[] readOffsets = Columns.ints(in, size, "read_offsets");
        s.to(7);
        int[][] outputIds = in.nil() ? null : Columns.tokenIdLists(in, size, "output_ids");
        s.to(8);
        boolean[] skipSpecial = Columns.bools(in, size, "skip_special_tokens");
        s.to(9);
        boolean[] spaces = Columns.bools(in, size, "spaces_between_special_tokens");
        s.to(10);
        boolean[] noStopTrim = Columns.bools(in, size, "no_stop_trim");
        s.to(11);
        int[] promptTokens = Columns.ints(in, size, "prompt_tokens");
        s.to(12);
        int[] reasoningTokens = Columns.ints(in, size, "reasoning_tokens");
        s.to(13);
        int[] completionTokens = Columns.ints(in, size, "completion_tokens");
        s.to(14);
        int[] cachedTokens = Columns.ints(in, size, "cached_tokens");
        NextToken[][] logprobs = LogprobColumns.read(in, s, 15, size);
        int[] retractions = Columns.intsOrZeros(in, s.to(34), size, "retraction_counts");
        Integer[] dpRanks = s.to(40) ? Columns.optInts(in, size, "dp_ranks") : null;
        Ext ext = readExt(in, s, size);
        s.finish();
        return new BatchTokenIDOutput(
                rids,
                ipcs,
                reasons,
                decodedTexts,
                decodeIds,
                readOffsets,
                outputIds,
                skipSpecial,
                spaces,
                noStopTrim,
                promptTokens,
                reasoningTokens,
                completionTokens,
                cachedTokens,
                retractions,
                dpRanks,
                ext.load(),
                ext.stamps(),
                logprobs);
    }

    static void write(WireWriter out, BatchStrOutput m) {
        out.struct(STRINGS, STRINGS_LENGTH + (m.load() == null && m.stamps() == null ? 0 : 1));
        out.texts(m.rids()); // 1
        out.texts(m.httpWorkerIpcs()); // 2
        Columns.writeFinishReasons(out, m.finishedReasons()); // 3
        out.texts(m.outputStrs()); // 4
        out.tokenIdLists(m.outputIds()); // 5
        out.ints(m.promptTokens()); // 6
        out.ints(m.completionTokens()); // 7
        out.ints(m.reasoningTokens()); // 8
        out.ints(m.cachedTokens()); // 9
        LogprobColumns.write(out, m.logprobs()); // 10 to 21
        out.nils(7); // 22 to 28: entropy, sampling mask, hidden states, experts, placeholders
        out.ints(m.retractionCounts()); // 29
        out.nils(5); // 30 beam_search_output to 34 cached_tokens_details
        out.optInts(m.dpRanks()); // 35
        out.nils(13); // 36 time_stats to 48
        writeExt(out, m.load(), m.stamps());
    }

    static BatchStrOutput readStrings(WireScanner in, int length) throws CodecException {
        StructReader s = new StructReader(in, STRINGS, length, 1, STRINGS_REQUIRED);
        s.to(1);
        String[] rids = rids(in);
        int size = rids.length;
        s.to(2);
        String[] ipcs = ipcs(in, size);
        s.to(3);
        FinishReason[] reasons = Columns.finishReasons(in, size);
        s.to(4);
        String[] outputStrs = Columns.texts(in, size, "output_strs");
        s.to(5);
        int[][] outputIds = in.nil() ? null : Columns.tokenIdLists(in, size, "output_ids");
        s.to(6);
        int[] promptTokens = Columns.ints(in, size, "prompt_tokens");
        s.to(7);
        int[] completionTokens = Columns.ints(in, size, "completion_tokens");
        s.to(8);
        int[] reasoningTokens = Columns.ints(in, size, "reasoning_tokens");
        s.to(9);
        int[] cachedTokens = Columns.ints(in, size, "cached_tokens");
        NextToken[][] logprobs = LogprobColumns.read(in, s, 10, size);
        int[] retractions = Columns.intsOrZeros(in, s.to(29), size, "retraction_counts");
        Integer[] dpRanks = s.to(35) ? Columns.optInts(in, size, "dp_ranks") : null;
        Ext ext = readExt(in, s, size);
        s.finish();
        return new BatchStrOutput(
                rids,
                ipcs,
                reasons,
                outputStrs,
                outputIds,
                promptTokens,
                completionTokens,
                reasoningTokens,
                cachedTokens,
                retractions,
                dpRanks,
                ext.load(),
                ext.stamps(),
                logprobs);
    }

    private static String[] rids(WireScanner in) throws CodecException {
        if (in.nil()) {
            return new String[0];
        }
        String[] rids = new String[in.array("rids")];
        for (int i = 0; i < rids.length; i++) {
            rids[i] = in.text("rids");
        }
        return rids;
    }

    private static String[] ipcs(WireScanner in, int size) throws CodecException {
        String[] ipcs = Columns.optTexts(in, "http_worker_ipcs");
        if (ipcs != null && ipcs.length != size) {
            throw new CodecException(
                    CodecException.Kind.WRONG_TYPE,
                    "http_worker_ipcs has " + ipcs.length + " entries, there are " + size + " rids");
        }
        return ipcs;
    }

    private static void writeExt(WireWriter out, GetLoadReqOutput load, double[][] stamps) {
        if (load == null && stamps == null) {
            return;
        }
        out.ext((load == null ? 0 : 1) + (stamps == null ? 0 : 1));
        if (load != null) {
            out.integer(ExtKeys.LOAD);
            LoadCodec.write(out, load);
        }
        if (stamps != null) {
            out.integer(ExtKeys.STAMPS);
            out.float64Lists(stamps);
        }
    }

    private record Ext(GetLoadReqOutput load, double[][] stamps) {}

    private static Ext readExt(WireScanner in, StructReader s, int size) throws CodecException {
        GetLoadReqOutput load = null;
        double[][] stamps = null;
        for (int i = s.ext(); i > 0; i--) {
            long key = in.integer("extension key");
            if (key == ExtKeys.LOAD) {
                load = LoadCodec.readOptional(in);
            } else if (key == ExtKeys.STAMPS) {
                stamps = Columns.float64Lists(in, size, "stamps", Stamps.COUNT);
            } else {
                WireValues.skip(in, ExtKeys.TAG);
            }
        }
        return new Ext(load, stamps);
    }
}
