package dpserve.io.codec;

import dpserve.io.message.SamplingParams;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** SamplingParams, an array without tag: 33 fields in SGLang 0.5.23. */
final class SamplingParamsCodec {
    private static final int LENGTH = 33;
    private static final String NAME = "sampling_params";
    private static final int[] NO_IDS = {};

    private SamplingParamsCodec() {}

    static void write(WireWriter out, SamplingParams p) {
        out.array(LENGTH);
        out.optInteger(p.maxNewTokens()); // 0
        out.nil(); // 1 stop: normalized into stop_strs
        if (p.stopTokenIds().length == 0) {
            out.nil(); // 2
        } else {
            out.ints(p.stopTokenIds());
        }
        out.nil(); // 3 stop_regex
        out.float64(p.temperature()); // 4
        out.float64(p.topP()); // 5
        out.integer(p.topK()); // 6
        out.float64(p.minP()); // 7
        out.float64(p.frequencyPenalty()); // 8
        out.float64(p.presencePenalty()); // 9
        out.float64(p.repetitionPenalty()); // 10
        out.integer(p.minNewTokens()); // 11
        out.integer(p.n()); // 12
        out.nils(5); // 13 beam_width, 14 json_schema, 15 regex, 16 ebnf, 17 structural_tag
        out.bool(p.ignoreEos()); // 18
        out.bool(p.skipSpecialTokens()); // 19
        out.bool(p.spacesBetweenSpecialTokens()); // 20
        out.bool(p.noStopTrim()); // 21
        out.optInteger(p.streamInterval()); // 22
        out.value(p.logitBias()); // 23
        out.optInteger(p.samplingSeed()); // 24
        out.nils(2); // 25 custom_params, 26 watermark
        out.texts(p.stopStrs()); // 27
        out.array(0); // 28 stop_regex_strs
        out.integer(p.stopStrMaxLen()); // 29
        out.integer(0); // 30 stop_regex_max_len
        out.bool(true); // 31 is_normalized
        out.bool(false); // 32 ebnf_full_assistant
    }

    static SamplingParams read(WireScanner in) throws CodecException {
        StructReader s = new StructReader(in, NAME, in.array(NAME), 0, 0);
        Integer maxNewTokens =
                s.to(0) ? in.optInt32("max_new_tokens") : Integer.valueOf(SamplingParams.DEFAULT_MAX_NEW_TOKENS);
        List<String> stop = s.to(1) ? texts(in, "stop") : List.of();
        int[] stopTokenIds = s.to(2) ? ints(in, "stop_token_ids") : NO_IDS;
        double temperature = s.to(4) ? in.number("temperature") : 1.0;
        double topP = s.to(5) ? in.number("top_p") : 1.0;
        int topK = s.to(6) ? in.int32("top_k") : SamplingParams.TOP_K_ALL;
        double minP = s.to(7) ? in.number("min_p") : 0.0;
        double frequencyPenalty = s.to(8) ? in.number("frequency_penalty") : 0.0;
        double presencePenalty = s.to(9) ? in.number("presence_penalty") : 0.0;
        double repetitionPenalty = s.to(10) ? in.number("repetition_penalty") : 1.0;
        int minNewTokens = s.to(11) ? in.int32("min_new_tokens") : 0;
        int n = s.to(12) ? in.int32("n") : 1;
        boolean ignoreEos = s.to(18) && in.bool("ignore_eos");
        boolean skipSpecialTokens = !s.to(19) || in.bool("skip_special_tokens");
        boolean spaces = !s.to(20) || in.bool("spaces_between_special_tokens");
        boolean noStopTrim = s.to(21) && in.bool("no_stop_trim");
        Integer streamInterval = s.to(22) ? in.optInt32("stream_interval") : null;
        Map<String, Double> logitBias = s.to(23) ? numbers(in, "logit_bias") : null;
        Long samplingSeed = s.to(24) ? in.optInteger("sampling_seed") : null;
        List<String> stopStrs = s.to(27) ? texts(in, "stop_strs") : List.of();
        int stopStrMaxLen = s.to(29) ? in.int32("stop_str_max_len") : 0;
        boolean normalized = s.to(31) && in.bool("is_normalized");
        s.finish();
        return new SamplingParams(
                maxNewTokens,
                stopTokenIds,
                temperature,
                topP,
                topK,
                minP,
                frequencyPenalty,
                presencePenalty,
                repetitionPenalty,
                minNewTokens,
                n,
                ignoreEos,
                skipSpecialTokens,
                spaces,
                noStopTrim,
                streamInterval,
                logitBias,
                samplingSeed,
                normalized || stop.isEmpty() ? stopStrs : stop,
                stopStrMaxLen);
    }

    /** nil, one text, or an array of texts. */
    private static List<String> texts(WireScanner in, String field) throws CodecException {
        if (in.nil()) {
            return List.of();
        }
        if (WireScanner.isText(in.peek(field))) {
            return List.of(in.text(field));
        }
        List<String> texts = new ArrayList<>();
        for (int i = in.array(field); i > 0; i--) {
            texts.add(in.text(field));
        }
        return texts;
    }

    private static int[] ints(WireScanner in, String field) throws CodecException {
        if (in.nil()) {
            return NO_IDS;
        }
        int[] ints = new int[in.array(field)];
        for (int i = 0; i < ints.length; i++) {
            ints[i] = in.int32(field);
        }
        return ints;
    }

    private static Map<String, Double> numbers(WireScanner in, String field) throws CodecException {
        if (in.nil()) {
            return null;
        }
        int entries = in.map(field);
        Map<String, Double> numbers = new LinkedHashMap<>();
        for (int i = 0; i < entries; i++) {
            numbers.put(in.text(field), in.number(field));
        }
        return numbers;
    }
}
