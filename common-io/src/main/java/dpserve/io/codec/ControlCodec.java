package dpserve.io.codec;

import dpserve.io.message.AbortReq;
import dpserve.io.message.DrainRank;
import dpserve.io.message.FinishReason;
import dpserve.io.message.FlushCacheReqInput;
import dpserve.io.message.FlushCacheReqOutput;
import dpserve.io.message.GetInternalStateReqOutput;
import dpserve.io.message.GetRequestReq;
import dpserve.io.message.GetRequestReqOutput;
import dpserve.io.message.LoadBalanceState;
import dpserve.io.message.RankStatus;
import dpserve.io.message.SetLoadBalance;
import java.util.LinkedHashMap;
import java.util.Map;

/** SGLang's control messages, and those of this project that are made alike. */
final class ControlCodec {
    static final String ABORT = "AbortReq";
    static final String HEALTH_CHECK = "HealthCheckOutput";
    static final String FLUSH_CACHE = "FlushCacheReqInput";
    static final String FLUSH_CACHE_OUTPUT = "FlushCacheReqOutput";
    static final String GET_INTERNAL_STATE = "GetInternalStateReq";
    static final String INTERNAL_STATE = "GetInternalStateReqOutput";
    static final String SHUTDOWN = "ShutdownReq";
    static final String SET_LOAD_BALANCE = "SetLoadBalance";
    static final String LOAD_BALANCE_STATE = "LoadBalanceState";
    static final String DRAIN_RANK = "DrainRank";
    static final String RANK_STATUS = "RankStatus";
    static final String GET_REQUEST = "GetRequestReq";
    static final String GET_REQUEST_OUTPUT = "GetRequestReqOutput";

    private static final int BARE_LENGTH = 3;
    private static final int ABORT_LENGTH = 7;
    private static final int FLUSH_LENGTH = 4;
    private static final int FLUSH_OUTPUT_LENGTH = 5;
    private static final int STATE_LENGTH = 4;
    private static final int SET_LOAD_BALANCE_LENGTH = 6;
    private static final int LOAD_BALANCE_STATE_LENGTH = 7;
    private static final int DRAIN_RANK_LENGTH = 5;
    private static final int RANK_STATUS_LENGTH = 7;
    private static final int GET_REQUEST_LENGTH = 4;
    private static final int GET_REQUEST_OUTPUT_LENGTH = 5;

    private ControlCodec() {}

    /** A message that has nothing but rid and http_worker_ipc. */
    static void bare(WireWriter out, String tag, String rid, String ipc) {
        head(out, tag, BARE_LENGTH, rid, ipc);
    }

    private static void head(WireWriter out, String tag, int length, String rid, String ipc) {
        out.struct(tag, length);
        out.text(rid);
        out.text(ipc);
    }

    /** rid and http_worker_ipc, which every message begins with. */
    record Head(String rid, String ipc) {}

    static Head readBare(WireScanner in, String tag, int length) throws CodecException {
        StructReader s = new StructReader(in, tag, length, 1, 1);
        Head head = head(in, s);
        s.finish();
        return head;
    }

    private static Head head(WireScanner in, StructReader s) throws CodecException {
        String rid = s.to(1) ? in.optText("rid") : null;
        String ipc = s.to(2) ? in.optText("http_worker_ipc") : null;
        return new Head(rid, ipc);
    }

    static void write(WireWriter out, AbortReq m) {
        head(out, ABORT, ABORT_LENGTH, m.rid(), m.httpWorkerIpc());
        out.bool(m.abortAll());
        Columns.writeFinishReason(out, m.finishedReason());
        out.text(m.abortMessage());
        out.nil(); // 6 weight_versions
    }

    static AbortReq readAbort(WireScanner in, int length) throws CodecException {
        StructReader s = new StructReader(in, ABORT, length, 1, 1);
        Head head = head(in, s);
        boolean abortAll = s.to(3) && in.bool("abort_all");
        FinishReason reason = s.to(4) ? Columns.finishReason(in, "finished_reason") : null;
        String message = s.to(5) ? in.optText("abort_message") : null;
        s.finish();
        return new AbortReq(head.rid() == null ? "" : head.rid(), head.ipc(), abortAll, reason, message);
    }

    static void write(WireWriter out, SetLoadBalance m) {
        head(out, SET_LOAD_BALANCE, SET_LOAD_BALANCE_LENGTH, m.rid(), m.httpWorkerIpc());
        out.text(m.method());
        out.text(m.report());
        out.optFloat64(m.delayMs());
    }

    static SetLoadBalance readSetLoadBalance(WireScanner in, int length) throws CodecException {
        StructReader s = new StructReader(in, SET_LOAD_BALANCE, length, 1, SET_LOAD_BALANCE_LENGTH);
        Head head = head(in, s);
        s.to(3);
        String method = in.optText("method");
        s.to(4);
        String report = in.optText("report");
        s.to(5);
        Double delayMs = in.optNumber("delay_ms");
        s.finish();
        return new SetLoadBalance(head.rid(), head.ipc(), method, report, delayMs);
    }

    static void write(WireWriter out, LoadBalanceState m) {
        head(out, LOAD_BALANCE_STATE, LOAD_BALANCE_STATE_LENGTH, m.rid(), m.httpWorkerIpc());
        out.text(m.error());
        out.text(m.method());
        out.text(m.report());
        out.float64(m.delayMs());
    }

    static LoadBalanceState readLoadBalanceState(WireScanner in, int length) throws CodecException {
        StructReader s = new StructReader(in, LOAD_BALANCE_STATE, length, 1, LOAD_BALANCE_STATE_LENGTH);
        Head head = head(in, s);
        s.to(3);
        String error = in.text("error");
        s.to(4);
        String method = in.text("method");
        s.to(5);
        String report = in.text("report");
        s.to(6);
        double delayMs = in.number("delay_ms");
        s.finish();
        return new LoadBalanceState(head.rid(), head.ipc(), error, method, report, delayMs);
    }

    static void write(WireWriter out, DrainRank m) {
        head(out, DRAIN_RANK, DRAIN_RANK_LENGTH, m.rid(), m.httpWorkerIpc());
        out.integer(m.dpRank());
        out.text(m.action());
    }

    static DrainRank readDrainRank(WireScanner in, int length) throws CodecException {
        StructReader s = new StructReader(in, DRAIN_RANK, length, 1, DRAIN_RANK_LENGTH);
        Head head = head(in, s);
        s.to(3);
        int dpRank = in.int32("dp_rank");
        s.to(4);
        String action = in.text("action");
        s.finish();
        return new DrainRank(head.rid(), head.ipc(), dpRank, action);
    }

    static void write(WireWriter out, RankStatus m) {
        head(out, RANK_STATUS, RANK_STATUS_LENGTH, m.rid(), m.httpWorkerIpc());
        out.text(m.error());
        out.integer(m.dpRank());
        out.text(m.state());
        out.integer(m.inFlightRequests());
    }

    static RankStatus readRankStatus(WireScanner in, int length) throws CodecException {
        StructReader s = new StructReader(in, RANK_STATUS, length, 1, RANK_STATUS_LENGTH);
        Head head = head(in, s);
        s.to(3);
        String error = in.text("error");
        s.to(4);
        int dpRank = in.int32("dp_rank");
        s.to(5);
        String state = in.text("state");
        s.to(6);
        long inFlight = in.integer("in_flight_requests");
        s.finish();
        return new RankStatus(head.rid(), head.ipc(), error, dpRank, state, inFlight);
    }

    static void write(WireWriter out, FlushCacheReqInput m) {
        head(out, FLUSH_CACHE, FLUSH_LENGTH, m.rid(), m.httpWorkerIpc());
        out.optFloat64(m.timeoutS());
    }

    static FlushCacheReqInput readFlush(WireScanner in, int length) throws CodecException {
        StructReader s = new StructReader(in, FLUSH_CACHE, length, 1, 1);
        Head head = head(in, s);
        Double timeoutS = s.to(3) ? in.optNumber("timeout_s") : null;
        s.finish();
        return new FlushCacheReqInput(head.rid(), head.ipc(), timeoutS);
    }

    static void write(WireWriter out, FlushCacheReqOutput m) {
        head(out, FLUSH_CACHE_OUTPUT, FLUSH_OUTPUT_LENGTH + (m.dpRank() == null ? 0 : 1), m.rid(), m.httpWorkerIpc());
        out.bool(m.success());
        out.text(m.message());
        if (m.dpRank() != null) {
            out.ext(1);
            out.integer(ExtKeys.DP_RANK);
            out.integer(m.dpRank());
        }
    }

    static FlushCacheReqOutput readFlushOutput(WireScanner in, int length) throws CodecException {
        StructReader s = new StructReader(in, FLUSH_CACHE_OUTPUT, length, 1, FLUSH_OUTPUT_LENGTH - 1);
        Head head = head(in, s);
        boolean success = s.to(3) && in.bool("success");
        String message = s.to(4) ? in.text("message") : "";
        Integer dpRank = null;
        for (int i = s.ext(); i > 0; i--) {
            if (in.integer("extension key") == ExtKeys.DP_RANK) {
                dpRank = in.int32("dp_rank");
            } else {
                WireValues.skip(in, ExtKeys.TAG);
            }
        }
        s.finish();
        return new FlushCacheReqOutput(head.rid(), head.ipc(), success, message, dpRank);
    }

    static void write(WireWriter out, GetInternalStateReqOutput m) {
        head(out, INTERNAL_STATE, STATE_LENGTH, m.rid(), m.httpWorkerIpc());
        out.value(m.internalState());
    }

    static GetInternalStateReqOutput readState(WireScanner in, int length) throws CodecException {
        StructReader s = new StructReader(in, INTERNAL_STATE, length, 1, STATE_LENGTH);
        Head head = head(in, s);
        s.to(3);
        Map<String, Object> state = map(in, "internal_state");
        s.finish();
        return new GetInternalStateReqOutput(head.rid(), head.ipc(), state);
    }

    private static Map<String, Object> map(WireScanner in, String field) throws CodecException {
        if (!(WireValues.value(in, field) instanceof Map<?, ?> read)) {
            throw WireScanner.wrongType(field, "a map");
        }
        Map<String, Object> map = new LinkedHashMap<>();
        read.forEach((key, value) -> map.put((String) key, value));
        return map;
    }

    static void write(WireWriter out, GetRequestReq m) {
        head(out, GET_REQUEST, GET_REQUEST_LENGTH, m.rid(), m.httpWorkerIpc());
        out.text(m.userRid());
    }

    static GetRequestReq readGetRequest(WireScanner in, int length) throws CodecException {
        StructReader s = new StructReader(in, GET_REQUEST, length, 1, GET_REQUEST_LENGTH);
        Head head = head(in, s);
        s.to(3);
        String userRid = in.text("user_rid");
        s.finish();
        return new GetRequestReq(head.rid(), head.ipc(), userRid);
    }

    static void write(WireWriter out, GetRequestReqOutput m) {
        head(out, GET_REQUEST_OUTPUT, GET_REQUEST_OUTPUT_LENGTH, m.rid(), m.httpWorkerIpc());
        out.text(m.from());
        out.value(m.found());
    }

    static GetRequestReqOutput readGetRequestOutput(WireScanner in, int length) throws CodecException {
        StructReader s = new StructReader(in, GET_REQUEST_OUTPUT, length, 1, GET_REQUEST_OUTPUT_LENGTH);
        Head head = head(in, s);
        s.to(3);
        String from = in.text("from");
        s.to(4);
        Map<String, Object> found = map(in, "found");
        s.finish();
        return new GetRequestReqOutput(head.rid(), head.ipc(), from, found);
    }
}
