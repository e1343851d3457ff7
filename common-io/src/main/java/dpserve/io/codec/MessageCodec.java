package dpserve.io.codec;

import dpserve.io.codec.CodecException.Kind;
import dpserve.io.message.AbortReq;
import dpserve.io.message.BatchStrOutput;
import dpserve.io.message.BatchTokenIDOutput;
import dpserve.io.message.BatchTokenizedGenerateReqInput;
import dpserve.io.message.ControllerHello;
import dpserve.io.message.DrainRank;
import dpserve.io.message.DropState;
import dpserve.io.message.EndNotice;
import dpserve.io.message.Fenced;
import dpserve.io.message.FlushCacheReqInput;
import dpserve.io.message.FlushCacheReqOutput;
import dpserve.io.message.GetInternalStateReq;
import dpserve.io.message.GetInternalStateReqOutput;
import dpserve.io.message.GetLoadReqInput;
import dpserve.io.message.GetLoadReqOutput;
import dpserve.io.message.GetRequestReq;
import dpserve.io.message.GetRequestReqOutput;
import dpserve.io.message.HealthCheckOutput;
import dpserve.io.message.Heartbeat;
import dpserve.io.message.HeldRids;
import dpserve.io.message.Hello;
import dpserve.io.message.KnownRids;
import dpserve.io.message.LoadBalanceState;
import dpserve.io.message.LostRids;
import dpserve.io.message.Message;
import dpserve.io.message.RankDown;
import dpserve.io.message.RankStatus;
import dpserve.io.message.RankUp;
import dpserve.io.message.Refused;
import dpserve.io.message.SetLoadBalance;
import dpserve.io.message.ShutdownReq;
import dpserve.io.message.StepDone;
import dpserve.io.message.TokenizedGenerateReqInput;
import dpserve.io.message.WatchLoadUpdateReq;

/**
 * Messages to frames and back: docs/protocol.md section 4, with the layouts of SGLang 0.5.23.
 *
 * <p>Reuses its buffers, so it belongs to one thread; the frames it returns are new arrays, as JeroMQ keeps them.
 */
public final class MessageCodec {
    private final WireWriter out;
    private final WireScanner in = new WireScanner();
    private KnownText newestTag;

    /** @param form how token ids are written; reading accepts every form */
    public MessageCodec(IntArrayForm form) {
        this.out = new WireWriter(form);
    }

    /** The frame of a message. */
    public byte[] encode(Message message) {
        out.reset();
        if (message instanceof BatchTokenIDOutput m) {
            OutputCodec.write(out, m);
        } else if (message instanceof BatchStrOutput m) {
            OutputCodec.write(out, m);
        } else if (message instanceof TokenizedGenerateReqInput m) {
            RequestCodec.write(out, m);
        } else if (message instanceof BatchTokenizedGenerateReqInput m) {
            RequestCodec.writeBatch(out, m);
        } else if (message instanceof WatchLoadUpdateReq m) {
            LoadCodec.write(out, m);
        } else if (message instanceof GetLoadReqOutput m) {
            LoadCodec.write(out, m);
        } else if (message instanceof GetLoadReqInput m) {
            LoadCodec.write(out, m);
        } else {
            encodeRare(message);
        }
        return out.toBytes();
    }

    private void encodeRare(Message message) {
        if (message instanceof EndNotice m) {
            TopologyCodec.write(out, m);
        } else if (message instanceof Heartbeat m) {
            TopologyCodec.write(out, m);
        } else if (message instanceof AbortReq m) {
            ControlCodec.write(out, m);
        } else if (message instanceof DropState m) {
            TopologyCodec.write(out, m);
        } else if (message instanceof Hello m) {
            TopologyCodec.write(out, m);
        } else if (message instanceof ControllerHello m) {
            TopologyCodec.write(out, m);
        } else if (message instanceof RankUp m) {
            TopologyCodec.write(out, m);
        } else if (message instanceof RankDown m) {
            TopologyCodec.write(out, m);
        } else if (message instanceof Refused m) {
            TopologyCodec.write(out, m);
        } else if (message instanceof Fenced m) {
            TopologyCodec.write(out, m);
        } else if (message instanceof HeldRids m) {
            TopologyCodec.write(out, m);
        } else if (message instanceof KnownRids m) {
            TopologyCodec.write(out, m);
        } else if (message instanceof LostRids m) {
            TopologyCodec.write(out, m);
        } else if (message instanceof StepDone m) {
            TopologyCodec.write(out, m);
        } else if (message instanceof GetRequestReq m) {
            ControlCodec.write(out, m);
        } else if (message instanceof GetRequestReqOutput m) {
            ControlCodec.write(out, m);
        } else if (message instanceof SetLoadBalance m) {
            ControlCodec.write(out, m);
        } else if (message instanceof LoadBalanceState m) {
            ControlCodec.write(out, m);
        } else if (message instanceof DrainRank m) {
            ControlCodec.write(out, m);
        } else if (message instanceof RankStatus m) {
            ControlCodec.write(out, m);
        } else if (message instanceof FlushCacheReqInput m) {
            ControlCodec.write(out, m);
        } else if (message instanceof FlushCacheReqOutput m) {
            ControlCodec.write(out, m);
        } else if (message instanceof GetInternalStateReqOutput m) {
            ControlCodec.write(out, m);
        } else if (message instanceof GetInternalStateReq m) {
            ControlCodec.bare(out, ControlCodec.GET_INTERNAL_STATE, m.rid(), m.httpWorkerIpc());
        } else if (message instanceof HealthCheckOutput m) {
            ControlCodec.bare(out, ControlCodec.HEALTH_CHECK, m.rid(), m.httpWorkerIpc());
        } else if (message instanceof ShutdownReq m) {
            ControlCodec.bare(out, ControlCodec.SHUTDOWN, m.rid(), m.httpWorkerIpc());
        } else if (!KvCodec.write(out, message)) {
            throw new IllegalArgumentException(
                    "no encoder for " + message.getClass().getName());
        }
    }

    /**
     * The message of a frame.
     *
     * @throws CodecException whatever is wrong with the bytes; nothing else is ever thrown for them
     */
    public Message decode(byte[] frame) throws CodecException {
        in.reset(frame);
        int length = in.array("message");
        if (length == 0) {
            throw new CodecException(Kind.UNKNOWN_TAG, "empty array");
        }
        newestTag = KnownText.read(in, newestTag, "tag"); // mostly the one before's, which knows its hash code already
        String tag = newestTag.text();
        Message message = decode(tag, length);
        if (!in.atEnd()) {
            throw new CodecException(Kind.WRONG_TYPE, tag + " is followed by further bytes");
        }
        return message;
    }

    private Message decode(String tag, int length) throws CodecException {
        return switch (tag) {
            case OutputCodec.TOKEN_IDS -> OutputCodec.readTokenIds(in, length);
            case OutputCodec.STRINGS -> OutputCodec.readStrings(in, length);
            case RequestCodec.GENERATE -> RequestCodec.read(in, length);
            case RequestCodec.BATCH_GENERATE -> RequestCodec.readBatch(in, length);
            case LoadCodec.WATCH_LOAD_UPDATE -> LoadCodec.readUpdate(in, length);
            case LoadCodec.LOAD -> LoadCodec.read(in, length);
            case TopologyCodec.END_NOTICE -> new EndNotice(TopologyCodec.readRids(in, tag, length));
            case TopologyCodec.DROP_STATE -> new DropState(TopologyCodec.readRids(in, tag, length));
            case TopologyCodec.HEARTBEAT -> TopologyCodec.readHeartbeat(in, length);
            case TopologyCodec.HELLO -> TopologyCodec.readHello(in, length);
            case TopologyCodec.CONTROLLER_HELLO -> TopologyCodec.readControllerHello(in, length);
            case TopologyCodec.RANK_UP -> TopologyCodec.readRankUp(in, length);
            case TopologyCodec.RANK_DOWN -> TopologyCodec.readRankDown(in, length);
            case TopologyCodec.REFUSED -> TopologyCodec.readRefused(in, length);
            case TopologyCodec.FENCED -> TopologyCodec.readFenced(in, length);
            case TopologyCodec.HELD_RIDS -> TopologyCodec.readHeldRids(in, length);
            case TopologyCodec.KNOWN_RIDS -> TopologyCodec.readKnownRids(in, length);
            case TopologyCodec.LOST_RIDS -> TopologyCodec.readLostRids(in, length);
            case TopologyCodec.STEP_DONE -> TopologyCodec.readStepDone(in, length);
            case KvCodec.BLOCKS -> KvCodec.readBlocks(in, length);
            case KvCodec.PULL -> KvCodec.readPull(in, length);
            case KvCodec.RECEIVED -> KvCodec.readReceived(in, length);
            case KvCodec.ROUTE_REQ -> KvCodec.readRouteReq(in, length);
            case KvCodec.ROUTE -> KvCodec.readRoute(in, length);
            case KvCodec.FAILED -> KvCodec.readFailed(in, length);
            case ControlCodec.GET_REQUEST -> ControlCodec.readGetRequest(in, length);
            case ControlCodec.GET_REQUEST_OUTPUT -> ControlCodec.readGetRequestOutput(in, length);
            case ControlCodec.SET_LOAD_BALANCE -> ControlCodec.readSetLoadBalance(in, length);
            case ControlCodec.LOAD_BALANCE_STATE -> ControlCodec.readLoadBalanceState(in, length);
            case ControlCodec.DRAIN_RANK -> ControlCodec.readDrainRank(in, length);
            case ControlCodec.RANK_STATUS -> ControlCodec.readRankStatus(in, length);
            case ControlCodec.ABORT -> ControlCodec.readAbort(in, length);
            case ControlCodec.FLUSH_CACHE -> ControlCodec.readFlush(in, length);
            case ControlCodec.FLUSH_CACHE_OUTPUT -> ControlCodec.readFlushOutput(in, length);
            case ControlCodec.INTERNAL_STATE -> ControlCodec.readState(in, length);
            default -> decodeBare(tag, length);
        };
    }

    private Message decodeBare(String tag, int length) throws CodecException {
        switch (tag) {
            case LoadCodec.GET_LOAD,
                    ControlCodec.GET_INTERNAL_STATE,
                    ControlCodec.HEALTH_CHECK,
                    ControlCodec.SHUTDOWN -> {}
            default -> throw new CodecException(Kind.UNKNOWN_TAG, "tag of " + tag.length() + " characters");
        }
        ControlCodec.Head head = ControlCodec.readBare(in, tag, length);
        return switch (tag) {
            case LoadCodec.GET_LOAD -> new GetLoadReqInput(head.rid(), head.ipc());
            case ControlCodec.GET_INTERNAL_STATE -> new GetInternalStateReq(head.rid(), head.ipc());
            case ControlCodec.HEALTH_CHECK -> new HealthCheckOutput(head.rid(), head.ipc());
            default -> new ShutdownReq(head.rid(), head.ipc());
        };
    }
}
