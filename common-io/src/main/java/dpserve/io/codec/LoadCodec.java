package dpserve.io.codec;

import dpserve.io.codec.CodecException.Kind;
import dpserve.io.message.GetLoadReqInput;
import dpserve.io.message.GetLoadReqOutput;
import dpserve.io.message.WatchLoadUpdateReq;
import java.util.ArrayList;
import java.util.List;

/** Loads: the messages of PR #11469, with what exact accounting needs in the extension element. */
final class LoadCodec {
    static final String GET_LOAD = "GetLoadReqInput";
    static final String LOAD = "GetLoadReqOutput";
    static final String WATCH_LOAD_UPDATE = "WatchLoadUpdateReq";
    private static final KnownText LOAD_TAG = KnownText.of(LOAD);

    private static final int LOAD_LENGTH = 8;
    private static final int EXT_ENTRIES = 12;
    private static final int UPDATE_LENGTH = 4;

    private LoadCodec() {}

    static void write(WireWriter out, GetLoadReqOutput m) {
        boolean extended = m.seq() != GetLoadReqOutput.NO_SEQ;
        out.struct(LOAD, LOAD_LENGTH + (extended ? 1 : 0));
        out.text(m.rid());
        out.text(m.httpWorkerIpc());
        out.integer(m.dpRank());
        out.integer(m.numReqs());
        out.integer(m.numWaitingReqs());
        out.integer(m.numTokens());
        out.float64(m.tsTic());
        if (extended) {
            out.ext(EXT_ENTRIES);
            entry(out, ExtKeys.INCARNATION, m.incarnation());
            entry(out, ExtKeys.SEQ, m.seq());
            entry(out, ExtKeys.RECEIVED_REQS, m.receivedReqs());
            entry(out, ExtKeys.RECEIVED_TOKENS, m.receivedTokens());
            entry(out, ExtKeys.ENDED_REQS, m.endedReqs());
            entry(out, ExtKeys.ENDED_TOKENS, m.endedTokens());
            entry(out, ExtKeys.NUM_OUTPUT_TOKENS, m.numOutputTokens());
            entry(out, ExtKeys.NUM_USED_TOKENS, m.numUsedTokens());
            entry(out, ExtKeys.MAX_TOTAL_NUM_TOKENS, m.maxTotalNumTokens());
            out.integer(ExtKeys.GEN_THROUGHPUT);
            out.float64(m.genThroughput());
            out.integer(ExtKeys.CACHE_HIT_RATE);
            out.float64(m.cacheHitRate());
            entry(out, ExtKeys.NUM_RETRACTED, m.numRetracted());
        }
    }

    private static void entry(WireWriter out, int key, long value) {
        out.integer(key);
        out.integer(value);
    }

    /** Reads a load with its tag, or nil as null. */
    static GetLoadReqOutput readOptional(WireScanner in) throws CodecException {
        if (in.nil()) {
            return null;
        }
        int length = in.array("load");
        if (!in.textIs(LOAD_TAG, "load")) {
            throw new CodecException(Kind.UNKNOWN_TAG, "load is not a " + LOAD);
        }
        return read(in, length);
    }

    static GetLoadReqOutput read(WireScanner in, int length) throws CodecException {
        StructReader s = new StructReader(in, LOAD, length, 1, LOAD_LENGTH);
        String rid = s.to(1) ? in.optText("rid") : null;
        String ipc = s.to(2) ? in.optText("http_worker_ipc") : null;
        int dpRank = s.to(3) ? in.int32("dp_rank") : 0;
        int numReqs = s.to(4) ? in.int32("num_reqs") : 0;
        int numWaitingReqs = s.to(5) ? in.int32("num_waiting_reqs") : 0;
        int numTokens = s.to(6) ? in.int32("num_tokens") : 0;
        double tsTic = s.to(7) ? in.number("ts_tic") : 0;
        long[] ext = new long[ExtKeys.NUM_RETRACTED + 1];
        ext[ExtKeys.SEQ] = GetLoadReqOutput.NO_SEQ;
        double genThroughput = 0;
        double cacheHitRate = 0;
        for (int i = s.ext(); i > 0; i--) {
            long key = in.integer("extension key");
            if (key == ExtKeys.GEN_THROUGHPUT) {
                genThroughput = in.number("gen_throughput");
            } else if (key == ExtKeys.CACHE_HIT_RATE) {
                cacheHitRate = in.number("cache_hit_rate");
            } else if (key == ExtKeys.INCARNATION || key >= ExtKeys.SEQ && key <= ExtKeys.NUM_RETRACTED) {
                ext[(int) key] = in.integer("load extension");
            } else {
                WireValues.skip(in, ExtKeys.TAG);
            }
        }
        s.finish();
        if (dpRank < 0) {
            throw new CodecException(Kind.BAD_VALUE, "dp_rank is negative");
        }
        return new GetLoadReqOutput(
                rid,
                ipc,
                dpRank,
                numReqs,
                numWaitingReqs,
                numTokens,
                tsTic,
                ext[ExtKeys.INCARNATION],
                ext[ExtKeys.SEQ],
                ext[ExtKeys.RECEIVED_REQS],
                ext[ExtKeys.RECEIVED_TOKENS],
                ext[ExtKeys.ENDED_REQS],
                ext[ExtKeys.ENDED_TOKENS],
                ext[ExtKeys.NUM_OUTPUT_TOKENS],
                (int) ext[ExtKeys.NUM_USED_TOKENS],
                (int) ext[ExtKeys.MAX_TOTAL_NUM_TOKENS],
                genThroughput,
                cacheHitRate,
                ext[ExtKeys.NUM_RETRACTED]);
    }

    static void write(WireWriter out, GetLoadReqInput m) {
        ControlCodec.bare(out, GET_LOAD, m.rid(), m.httpWorkerIpc());
    }

    static void write(WireWriter out, WatchLoadUpdateReq m) {
        out.struct(WATCH_LOAD_UPDATE, UPDATE_LENGTH);
        out.text(m.rid());
        out.text(m.httpWorkerIpc());
        out.array(m.loads().size());
        m.loads().forEach(load -> write(out, load));
    }

    /** A nil among the loads is passed over: upstream once sent it, and its controller died of it (#15823). */
    static WatchLoadUpdateReq readUpdate(WireScanner in, int length) throws CodecException {
        StructReader s = new StructReader(in, WATCH_LOAD_UPDATE, length, 1, UPDATE_LENGTH);
        String rid = s.to(1) ? in.optText("rid") : null;
        String ipc = s.to(2) ? in.optText("http_worker_ipc") : null;
        s.to(3);
        List<GetLoadReqOutput> loads = new ArrayList<>();
        for (int i = in.array("loads"); i > 0; i--) {
            GetLoadReqOutput load = readOptional(in);
            if (load != null) {
                loads.add(load);
            }
        }
        s.finish();
        return new WatchLoadUpdateReq(rid, ipc, loads);
    }
}
