package dpserve.io.codec;

import dpserve.io.codec.CodecException.Kind;
import dpserve.io.message.BatchTokenizedGenerateReqInput;
import dpserve.io.message.SamplingParams;
import dpserve.io.message.TokenizedGenerateReqInput;
import java.util.ArrayList;
import java.util.List;

/** Requests: what a tokenizer manager sends and a scheduler reads. */
final class RequestCodec {
    static final String GENERATE = "TokenizedGenerateReqInput";
    static final String BATCH_GENERATE = "BatchTokenizedGenerateReqInput";

    static final KnownText GENERATE_TAG = KnownText.of(GENERATE);

    /** Elements of SGLang 0.5.23's TokenizedGenerateReqInput, the tag included. */
    static final int GENERATE_LENGTH = 50;

    /** Elements up to the last required field, {@code stream}. */
    private static final int GENERATE_REQUIRED = 14;

    private static final int BATCH_LENGTH = 4;
    private static final String LOGPROBS_MODE = "selected";

    private RequestCodec() {}

    static void write(WireWriter out, TokenizedGenerateReqInput m) {
        out.struct(GENERATE, GENERATE_LENGTH + 1);
        out.text(m.rid()); // 1
        out.text(m.httpWorkerIpc()); // 2
        out.text(m.inputText()); // 3
        out.tokenIds(m.inputIds()); // 4
        out.nils(3); // 5 input_embeds, 6 mm_inputs, 7 token_type_ids
        SamplingParamsCodec.write(out, m.samplingParams()); // 8
        out.bool(m.returnLogprob()); // 9
        out.integer(m.logprobStartLen()); // 10
        out.integer(m.topLogprobsNum()); // 11
        out.nil(); // 12 token_ids_logprob
        out.bool(m.stream()); // 13
        out.bool(false); // 14 return_sampling_mask
        out.bool(false); // 15 return_flat_raw_top_logprobs
        out.bool(false); // 16 return_hidden_states
        out.bool(false); // 17 return_routed_experts
        out.integer(0); // 18 routed_experts_start_len
        out.bool(false); // 19 return_indexer_topk
        out.nils(5); // 20 session_id, 21 session_params, 22 lora_id, 23 custom_logit_processor, 24 overrides
        out.text(m.bootstrapHost()); // 25
        out.optInteger(m.bootstrapPort()); // 26
        out.optInteger(m.bootstrapRoom()); // 27
        out.nils(2); // 28 bootstrap_pair_key, 29 decode_tp_size
        out.optInteger(m.routedDpRank()); // 30
        out.optInteger(m.disaggPrefillDpRank()); // 31
        out.text(m.routingKey()); // 32
        out.bool(false); // 33 require_reasoning
        out.optInteger(m.priority()); // 34
        out.text(m.extraKey()); // 35
        out.bool(false); // 36 no_logs
        out.bool(false); // 37 return_bytes
        out.bool(false); // 38 return_entropy
        out.nils(8); // 39 to 46: multimodal, encoder, pooling, time_stats, cache_salt, kv_hints
        out.bool(false); // 47 pp_prefetch_ticketed
        out.text(LOGPROBS_MODE); // 48 sampling_logprobs_mode
        out.nil(); // 49 lora_name
        out.ext(m.resumed() > 0 ? 2 : 1);
        if (m.resumed() > 0) {
            out.integer(ExtKeys.RESUMED);
            out.integer(m.resumed());
        }
        // Last, so that its 8 bytes are the last of the message: the controller overwrites them in place.
        out.integer(ExtKeys.DISPATCH_TIME);
        out.float64(m.dispatchTime());
    }

    static TokenizedGenerateReqInput read(WireScanner in, int length) throws CodecException {
        StructReader s = new StructReader(in, GENERATE, length, 1, GENERATE_REQUIRED);
        String rid = s.to(1) ? in.optText("rid") : null;
        String ipc = s.to(2) ? in.optText("http_worker_ipc") : null;
        String inputText = s.to(3) ? textOnly(in) : null;
        int[] inputIds = s.to(4) ? TokenIds.read(in, "input_ids") : null;
        SamplingParams params = s.to(8) ? SamplingParamsCodec.read(in) : null;
        boolean returnLogprob = s.to(9) && in.bool("return_logprob");
        int logprobStartLen = s.to(10) ? in.int32("logprob_start_len") : -1;
        int topLogprobsNum = s.to(11) ? in.int32("top_logprobs_num") : 0;
        boolean stream = s.to(13) && in.bool("stream");
        String bootstrapHost = s.to(25) ? in.optText("bootstrap_host") : null;
        Integer bootstrapPort = s.to(26) ? in.optInt32("bootstrap_port") : null;
        Long bootstrapRoom = s.to(27) ? in.optInteger("bootstrap_room") : null;
        Integer routedDpRank = s.to(30) ? in.optInt32("routed_dp_rank") : null;
        Integer disaggPrefillDpRank = s.to(31) ? in.optInt32("disagg_prefill_dp_rank") : null;
        String routingKey = s.to(32) ? in.optText("routing_key") : null;
        Integer priority = s.to(34) ? in.optInt32("priority") : null;
        String extraKey = s.to(35) ? in.optText("extra_key") : null;
        int resumed = 0;
        double dispatchTime = 0;
        for (int i = s.ext(); i > 0; i--) {
            long key = in.integer("extension key");
            if (key == ExtKeys.RESUMED) {
                resumed = in.int32("resumed");
            } else if (key == ExtKeys.DISPATCH_TIME) {
                dispatchTime = in.number("dispatch_time");
            } else {
                WireValues.skip(in, GENERATE);
            }
        }
        s.finish();
        if (rid == null || inputIds == null) {
            throw new CodecException(Kind.WRONG_TYPE, GENERATE + " without rid or input_ids");
        }
        if (params == null) {
            throw new CodecException(Kind.WRONG_TYPE, GENERATE + " without sampling_params");
        }
        if (resumed < 0 || resumed > inputIds.length) {
            throw new CodecException(Kind.BAD_VALUE, "resumed is not between 0 and the length of input_ids");
        }
        return new TokenizedGenerateReqInput(
                rid,
                ipc,
                inputText,
                inputIds,
                params,
                returnLogprob,
                logprobStartLen,
                topLogprobsNum,
                stream,
                bootstrapHost,
                bootstrapPort,
                bootstrapRoom,
                routedDpRank,
                disaggPrefillDpRank,
                routingKey,
                priority,
                extraKey,
                resumed,
                dispatchTime);
    }

    /** input_text may also be a list (cross encoders); only a plain text is kept. */
    private static String textOnly(WireScanner in) throws CodecException {
        if (WireScanner.isText(in.peek("input_text"))) {
            return in.text("input_text");
        }
        WireValues.skip(in, "input_text");
        return null;
    }

    static void writeBatch(WireWriter out, BatchTokenizedGenerateReqInput m) {
        out.struct(BATCH_GENERATE, BATCH_LENGTH);
        out.texts(m.rids());
        out.texts(m.httpWorkerIpcs());
        out.array(m.batch().size());
        m.batch().forEach(item -> write(out, item));
    }

    static BatchTokenizedGenerateReqInput readBatch(WireScanner in, int length) throws CodecException {
        StructReader s = new StructReader(in, BATCH_GENERATE, length, 1, BATCH_LENGTH);
        String[] rids = s.to(1) ? Columns.optTexts(in, "rids") : null;
        String[] ipcs = s.to(2) ? Columns.optTexts(in, "http_worker_ipcs") : null;
        List<TokenizedGenerateReqInput> batch = new ArrayList<>();
        s.to(3);
        for (int i = in.array("batch"); i > 0; i--) {
            int itemLength = in.array("batch item");
            if (!in.textIs(GENERATE_TAG, "batch item")) {
                throw new CodecException(Kind.UNKNOWN_TAG, "batch item is not a " + GENERATE);
            }
            batch.add(read(in, itemLength));
        }
        s.finish();
        return new BatchTokenizedGenerateReqInput(rids, ipcs, batch);
    }
}
