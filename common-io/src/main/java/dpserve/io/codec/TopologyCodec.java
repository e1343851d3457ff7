package dpserve.io.codec;

import dpserve.io.codec.CodecException.Kind;
import dpserve.io.message.ControllerHello;
import dpserve.io.message.DropState;
import dpserve.io.message.EndNotice;
import dpserve.io.message.Fenced;
import dpserve.io.message.GetLoadReqOutput;
import dpserve.io.message.Heartbeat;
import dpserve.io.message.HeldRids;
import dpserve.io.message.Hello;
import dpserve.io.message.KnownRids;
import dpserve.io.message.LostRids;
import dpserve.io.message.RankDown;
import dpserve.io.message.RankUp;
import dpserve.io.message.Refused;
import dpserve.io.message.Role;
import dpserve.io.message.StepDone;
import java.util.LinkedHashMap;
import java.util.Map;

/** Messages between Java processes only. All their fields are required, but for the last one of KnownRids. */
final class TopologyCodec {
    static final String HELLO = "Hello";
    static final String HEARTBEAT = "Heartbeat";
    static final String CONTROLLER_HELLO = "ControllerHello";
    static final String RANK_UP = "RankUp";
    static final String RANK_DOWN = "RankDown";
    static final String REFUSED = "Refused";
    static final String FENCED = "Fenced";
    static final String END_NOTICE = "EndNotice";
    static final String DROP_STATE = "DropState";
    static final String STEP_DONE = "StepDone";
    static final String HELD_RIDS = "HeldRids";
    static final String KNOWN_RIDS = "KnownRids";
    static final String LOST_RIDS = "LostRids";

    private static final String[] NO_RIDS = {};

    private TopologyCodec() {}

    /** Begins a message with {@code fields} fields of its own. */
    private static void head(WireWriter out, String tag, int fields, String rid) {
        out.struct(tag, 3 + fields);
        out.text(rid);
        out.nil();
    }

    /** Checks the length and moves behind rid and http_worker_ipc. */
    private static StructReader body(WireScanner in, String tag, int length, int fields) throws CodecException {
        StructReader s = new StructReader(in, tag, length, 1, 3 + fields);
        s.to(3);
        return s;
    }

    static void write(WireWriter out, Hello m) {
        head(out, HELLO, 8, null);
        out.text(m.role().wireName());
        out.integer(m.index());
        out.integer(m.incarnation());
        out.value(m.endpoints());
        out.integer(m.protocolVersion());
        out.integer(m.pid());
        out.value(m.info());
        out.texts(m.heldRids());
    }

    static Hello readHello(WireScanner in, int length) throws CodecException {
        StructReader s = body(in, HELLO, length, 8);
        Role role = role(in.text("role"));
        s.to(4);
        int index = rank(in, "index");
        s.to(5);
        long incarnation = in.integer("incarnation");
        s.to(6);
        Map<String, String> endpoints = new LinkedHashMap<>();
        for (int i = in.map("endpoints"); i > 0; i--) {
            endpoints.put(in.text("endpoints"), in.text("endpoints"));
        }
        s.to(7);
        int protocolVersion = in.int32("protocol_version");
        s.to(8);
        long pid = in.integer("pid");
        s.to(9);
        Map<String, Long> info = info(in);
        s.to(10);
        String[] heldRids = rids(in, "held_rids");
        s.finish();
        return new Hello(role, index, incarnation, endpoints, protocolVersion, pid, info, heldRids);
    }

    private static Role role(String name) throws CodecException {
        for (Role role : Role.values()) {
            if (role.wireName().equals(name)) {
                return role;
            }
        }
        throw new CodecException(Kind.BAD_VALUE, "role is none of the topology's");
    }

    static void write(WireWriter out, Heartbeat m) {
        head(out, HEARTBEAT, 7, null);
        out.integer(m.dpRank());
        out.integer(m.incarnation());
        out.text(m.inputEndpoint());
        out.integer(m.step());
        out.integer(m.heldCount());
        out.integer(m.heldHash());
        if (m.load() == null) {
            out.nil();
        } else {
            LoadCodec.write(out, m.load());
        }
    }

    static Heartbeat readHeartbeat(WireScanner in, int length) throws CodecException {
        StructReader s = body(in, HEARTBEAT, length, 7);
        int dpRank = rank(in, "dp_rank");
        s.to(4);
        long incarnation = in.integer("incarnation");
        s.to(5);
        String endpoint = in.text("input endpoint");
        s.to(6);
        long step = in.integer("step");
        s.to(7);
        int heldCount = in.int32("held_count");
        s.to(8);
        long heldHash = in.integer("held_hash");
        s.to(9);
        GetLoadReqOutput load = LoadCodec.readOptional(in);
        s.finish();
        return new Heartbeat(dpRank, incarnation, endpoint, step, heldCount, heldHash, load);
    }

    static void write(WireWriter out, ControllerHello m) {
        head(out, CONTROLLER_HELLO, 2, null);
        out.integer(m.epoch());
        out.integer(m.protocolVersion());
    }

    static ControllerHello readControllerHello(WireScanner in, int length) throws CodecException {
        StructReader s = body(in, CONTROLLER_HELLO, length, 2);
        long epoch = in.integer("epoch");
        s.to(4);
        int protocolVersion = in.int32("protocol_version");
        s.finish();
        return new ControllerHello(epoch, protocolVersion);
    }

    static void write(WireWriter out, RankUp m) {
        head(out, RANK_UP, 5, null);
        out.integer(m.dpRank());
        out.integer(m.incarnation());
        out.text(m.inputEndpoint());
        out.value(m.info());
        out.text(m.stepEndpoint());
    }

    static RankUp readRankUp(WireScanner in, int length) throws CodecException {
        StructReader s = body(in, RANK_UP, length, 5);
        int dpRank = rank(in, "dp_rank");
        s.to(4);
        long incarnation = in.integer("incarnation");
        s.to(5);
        String endpoint = in.text("input endpoint");
        s.to(6);
        Map<String, Long> info = info(in);
        s.to(7);
        String stepEndpoint = in.text("step endpoint");
        s.finish();
        return new RankUp(dpRank, incarnation, endpoint, info, stepEndpoint);
    }

    static void write(WireWriter out, RankDown m) {
        head(out, RANK_DOWN, 4, null);
        out.integer(m.dpRank());
        out.integer(m.incarnation());
        out.text(m.reason());
        out.texts(m.rids());
    }

    static RankDown readRankDown(WireScanner in, int length) throws CodecException {
        StructReader s = body(in, RANK_DOWN, length, 4);
        int dpRank = rank(in, "dp_rank");
        s.to(4);
        long incarnation = in.integer("incarnation");
        s.to(5);
        String reason = in.text("reason");
        s.to(6);
        String[] rids = rids(in, "rids");
        s.finish();
        return new RankDown(dpRank, incarnation, reason, rids);
    }

    static void write(WireWriter out, Refused m) {
        head(out, REFUSED, 2, m.rid());
        out.integer(m.status());
        out.text(m.reason());
    }

    static Refused readRefused(WireScanner in, int length) throws CodecException {
        StructReader s = new StructReader(in, REFUSED, length, 1, 5);
        s.to(1);
        String rid = in.text("rid");
        s.to(3);
        int status = in.int32("status");
        s.to(4);
        String reason = in.text("reason");
        s.finish();
        return new Refused(rid, status, reason);
    }

    static void write(WireWriter out, Fenced m) {
        head(out, FENCED, 2, null);
        out.integer(m.dpRank());
        out.integer(m.incarnation());
    }

    static Fenced readFenced(WireScanner in, int length) throws CodecException {
        StructReader s = body(in, FENCED, length, 2);
        int dpRank = rank(in, "dp_rank");
        s.to(4);
        long incarnation = in.integer("incarnation");
        s.finish();
        return new Fenced(dpRank, incarnation);
    }

    static void write(WireWriter out, StepDone m) {
        head(out, STEP_DONE, 4, null);
        out.integer(m.dpRank());
        out.integer(m.incarnation());
        out.integer(m.step());
        out.float64(m.durationS());
    }

    static StepDone readStepDone(WireScanner in, int length) throws CodecException {
        StructReader s = body(in, STEP_DONE, length, 4);
        int dpRank = rank(in, "dp_rank");
        s.to(4);
        long incarnation = in.integer("incarnation");
        s.to(5);
        long step = in.integer("step");
        s.to(6);
        double durationS = in.number("duration_s");
        s.finish();
        if (step < 0 || !(durationS >= 0 && durationS < Double.POSITIVE_INFINITY)) {
            throw new CodecException(Kind.BAD_VALUE, "step or duration_s is negative or not finite");
        }
        return new StepDone(dpRank, incarnation, step, durationS);
    }

    static void write(WireWriter out, EndNotice m) {
        head(out, END_NOTICE, 1, null);
        out.texts(m.rids());
    }

    static void write(WireWriter out, DropState m) {
        head(out, DROP_STATE, 1, null);
        out.texts(m.rids());
    }

    static void write(WireWriter out, HeldRids m) {
        head(out, HELD_RIDS, 3, null);
        out.integer(m.dpRank());
        out.integer(m.incarnation());
        out.texts(m.rids());
    }

    static HeldRids readHeldRids(WireScanner in, int length) throws CodecException {
        StructReader s = body(in, HELD_RIDS, length, 3);
        int dpRank = rank(in, "dp_rank");
        s.to(4);
        long incarnation = in.integer("incarnation");
        s.to(5);
        String[] rids = rids(in, "rids");
        s.finish();
        return new HeldRids(dpRank, incarnation, rids);
    }

    static void write(WireWriter out, KnownRids m) {
        head(out, KNOWN_RIDS, 3, null);
        out.integer(m.epoch());
        out.texts(m.rids());
        out.integer(m.sent());
    }

    static KnownRids readKnownRids(WireScanner in, int length) throws CodecException {
        StructReader s = body(in, KNOWN_RIDS, length, 2);
        long epoch = in.integer("epoch");
        s.to(4);
        String[] rids = rids(in, "rids");
        long sent = s.to(5) ? in.integer("sent") : 0;
        s.finish();
        return new KnownRids(epoch, rids, sent);
    }

    static void write(WireWriter out, LostRids m) {
        head(out, LOST_RIDS, 2, null);
        out.integer(m.dpRank());
        out.texts(m.rids());
    }

    static LostRids readLostRids(WireScanner in, int length) throws CodecException {
        StructReader s = body(in, LOST_RIDS, length, 2);
        int dpRank = rank(in, "dp_rank");
        s.to(4);
        String[] rids = rids(in, "rids");
        s.finish();
        return new LostRids(dpRank, rids);
    }

    /** The rids of an EndNotice or DropState. */
    static String[] readRids(WireScanner in, String tag, int length) throws CodecException {
        StructReader s = body(in, tag, length, 1);
        String[] rids = rids(in, "rids");
        s.finish();
        return rids;
    }

    private static String[] rids(WireScanner in, String field) throws CodecException {
        int count = in.array(field);
        if (count == 0) {
            return NO_RIDS;
        }
        String[] rids = new String[count];
        for (int i = 0; i < count; i++) {
            rids[i] = in.text(field);
        }
        return rids;
    }

    private static Map<String, Long> info(WireScanner in) throws CodecException {
        Map<String, Long> info = new LinkedHashMap<>();
        for (int i = in.map("info"); i > 0; i--) {
            info.put(in.text("info"), in.integer("info"));
        }
        return info;
    }

    static int rank(WireScanner in, String field) throws CodecException {
        int rank = in.int32(field);
        if (rank < 0) {
            throw new CodecException(Kind.BAD_VALUE, field + " is negative");
        }
        return rank;
    }
}
