package dpserve.io.codec;

import dpserve.io.codec.CodecException.Kind;
import dpserve.io.message.KvBlocks;
import dpserve.io.message.KvFailed;
import dpserve.io.message.KvPull;
import dpserve.io.message.KvReceived;
import dpserve.io.message.KvRoute;
import dpserve.io.message.KvRouteReq;
import dpserve.io.message.Message;

/** Messages of PD disaggregation, between Java processes only. All their fields are required. */
final class KvCodec {
    static final String ROUTE_REQ = "KvRouteReq";
    static final String ROUTE = "KvRoute";
    static final String PULL = "KvPull";
    static final String BLOCKS = "KvBlocks";
    static final String RECEIVED = "KvReceived";
    static final String FAILED = "KvFailed";

    private KvCodec() {}

    /** Whether it was one of these. */
    static boolean write(WireWriter out, Message message) {
        if (message instanceof KvBlocks m) {
            head(out, BLOCKS, 7, m.room());
            out.text(m.replyTo());
            out.integer(m.from());
            out.integer(m.total());
            out.bytes(m.bytes());
            out.integer(m.cachedTokens());
            writeFirst(out, m.first());
        } else if (message instanceof KvPull m) {
            head(out, PULL, 3, m.room());
            out.integer(m.tokens());
            out.text(m.replyTo());
        } else if (message instanceof KvReceived m) {
            head(out, RECEIVED, 1, m.room());
        } else if (message instanceof KvRouteReq m) {
            head(out, ROUTE_REQ, 2, m.room());
            out.text(m.replyTo());
        } else if (message instanceof KvRoute m) {
            head(out, ROUTE, 4, m.room());
            out.integer(m.dpRank());
            out.integer(m.incarnation());
            out.text(m.endpoint());
        } else if (message instanceof KvFailed m) {
            head(out, FAILED, 2, m.room());
            out.text(m.reason());
        } else {
            return false;
        }
        return true;
    }

    private static void head(WireWriter out, String tag, int fields, long room) {
        out.struct(tag, 3 + fields);
        out.text(null);
        out.nil();
        out.integer(room);
    }

    /** nil, or the token, its log probability, and for each of the most likely its id and log probability. */
    private static void writeFirst(WireWriter out, KvBlocks.First first) {
        if (first == null) {
            out.nil();
            return;
        }
        out.array(2 + 2 * first.topIds().length);
        out.integer(first.token());
        out.optFloat64(first.logprob());
        for (int i = 0; i < first.topIds().length; i++) {
            out.integer(first.topIds()[i]);
            out.float64(first.topLogprobs()[i]);
        }
    }

    static KvBlocks readBlocks(WireScanner in, int length) throws CodecException {
        StructReader s = body(in, BLOCKS, length, 7);
        long room = in.integer("room");
        s.to(4);
        String replyTo = in.text("reply_to");
        s.to(5);
        int from = count(in, "from");
        s.to(6);
        int total = count(in, "total");
        s.to(7);
        byte[] bytes = in.bytes("bytes");
        s.to(8);
        int cachedTokens = count(in, "cached_tokens");
        s.to(9);
        KvBlocks.First first = readFirst(in);
        s.finish();
        if (bytes.length == 0 || bytes.length > total - from) {
            throw new CodecException(Kind.BAD_VALUE, "the range of KvBlocks does not fit its bytes");
        }
        return new KvBlocks(room, replyTo, from, total, bytes, first, cachedTokens);
    }

    private static KvBlocks.First readFirst(WireScanner in) throws CodecException {
        if (in.nil()) {
            return null;
        }
        int entries = in.array("first");
        if (entries < 2 || entries % 2 != 0) {
            throw new CodecException(Kind.BAD_VALUE, "first has " + entries + " entries");
        }
        int token = count(in, "first");
        Double logprob = in.optNumber("first");
        int[] topIds = new int[entries / 2 - 1];
        double[] topLogprobs = new double[topIds.length];
        for (int i = 0; i < topIds.length; i++) {
            topIds[i] = count(in, "first");
            topLogprobs[i] = in.number("first");
        }
        return new KvBlocks.First(token, logprob, topIds, topLogprobs);
    }

    static KvPull readPull(WireScanner in, int length) throws CodecException {
        StructReader s = body(in, PULL, length, 3);
        long room = in.integer("room");
        s.to(4);
        int tokens = count(in, "tokens");
        s.to(5);
        String replyTo = in.text("reply_to");
        s.finish();
        return new KvPull(room, tokens, replyTo);
    }

    static KvReceived readReceived(WireScanner in, int length) throws CodecException {
        StructReader s = body(in, RECEIVED, length, 1);
        long room = in.integer("room");
        s.finish();
        return new KvReceived(room);
    }

    static KvRouteReq readRouteReq(WireScanner in, int length) throws CodecException {
        StructReader s = body(in, ROUTE_REQ, length, 2);
        long room = in.integer("room");
        s.to(4);
        String replyTo = in.text("reply_to");
        s.finish();
        return new KvRouteReq(room, replyTo);
    }

    static KvRoute readRoute(WireScanner in, int length) throws CodecException {
        StructReader s = body(in, ROUTE, length, 4);
        long room = in.integer("room");
        s.to(4);
        int dpRank = TopologyCodec.rank(in, "dp_rank");
        s.to(5);
        long incarnation = in.integer("incarnation");
        s.to(6);
        String endpoint = in.text("endpoint");
        s.finish();
        return new KvRoute(room, dpRank, incarnation, endpoint);
    }

    static KvFailed readFailed(WireScanner in, int length) throws CodecException {
        StructReader s = body(in, FAILED, length, 2);
        long room = in.integer("room");
        s.to(4);
        String reason = in.text("reason");
        s.finish();
        return new KvFailed(room, reason);
    }

    /** Checks the length and moves behind rid and http_worker_ipc, to the room. */
    private static StructReader body(WireScanner in, String tag, int length, int fields) throws CodecException {
        StructReader s = new StructReader(in, tag, length, 1, 3 + fields);
        s.to(3);
        return s;
    }

    private static int count(WireScanner in, String field) throws CodecException {
        int value = in.int32(field);
        if (value < 0) {
            throw new CodecException(Kind.BAD_VALUE, field + " is negative");
        }
        return value;
    }
}
