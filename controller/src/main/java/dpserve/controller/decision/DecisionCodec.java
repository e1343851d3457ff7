package dpserve.controller.decision;

import dpserve.controller.policy.RankSnapshot;
import dpserve.controller.policy.RankSnapshot.Slot;
import dpserve.controller.policy.RequestInfo;
import dpserve.io.codec.CodecException;
import dpserve.io.codec.IntArrayForm;
import dpserve.io.codec.MessageCodec;
import dpserve.io.message.GetLoadReqOutput;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.msgpack.core.MessageBufferPacker;
import org.msgpack.core.MessageInsufficientBufferException;
import org.msgpack.core.MessagePack;
import org.msgpack.core.MessagePacker;
import org.msgpack.core.MessageUnpacker;
import org.msgpack.value.ValueType;

/**
 * Entries of the decision record as msgpack arrays one after the other (docs/decisions.md): {@code [number, kind, at_s,
 * ...]}. Numbers count up by one, so that what is missing shows. Belongs to one thread.
 */
public final class DecisionCodec {
    /** The one element of a file's first array. */
    public static final String MAGIC = "dpserve-decisions-1";

    private static final int POLICY = 0;
    private static final int REPORT = 1;
    private static final int DECISION = 2;
    private static final int SLOT_FIELDS = 16;

    private final MessageCodec messages = new MessageCodec(IntArrayForm.INT32);

    /** The first array of a file. */
    public byte[] header() {
        return packed(out -> out.packArrayHeader(1).packString(MAGIC));
    }

    /** An entry as bytes. */
    public byte[] encode(long number, DecisionEntry entry) {
        return packed(out -> {
            if (entry instanceof DecisionEntry.PolicySet e) {
                head(out, 7, number, POLICY, e);
                out.packString(e.method()).packDouble(e.timeScale()).packInt(e.budgetInterval());
                out.packLong(e.seed());
            } else if (entry instanceof DecisionEntry.Reported e) {
                head(out, 5, number, REPORT, e);
                write(out, e.ranks());
                out.packArrayHeader(e.loads().size());
                for (GetLoadReqOutput load : e.loads()) {
                    byte[] frame = messages.encode(load);
                    out.packBinaryHeader(frame.length).addPayload(frame);
                }
            } else if (entry instanceof DecisionEntry.Decided e) {
                head(out, 12, number, DECISION, e);
                text(out, e.request().rid());
                out.packInt(e.request().promptTokens());
                out.packLong(e.request().bootstrapRoom());
                text(out, e.request().routingKey());
                out.packArrayHeader(e.request().prefixHashes().length);
                for (long hash : e.request().prefixHashes()) {
                    out.packLong(hash);
                }
                out.packInt(e.chosen());
                write(out, e.ranks());
                floats(out, e.agesMs());
                floats(out, e.scores());
            }
        });
    }

    private static void head(MessagePacker out, int length, long number, int kind, DecisionEntry entry)
            throws IOException {
        out.packArrayHeader(length).packLong(number).packInt(kind).packDouble(entry.atS());
    }

    private static void text(MessagePacker out, String text) throws IOException {
        if (text == null) {
            out.packNil();
        } else {
            out.packString(text);
        }
    }

    private static void floats(MessagePacker out, double[] values) throws IOException {
        out.packArrayHeader(values.length);
        for (double value : values) {
            out.packFloat((float) value);
        }
    }

    private static void write(MessagePacker out, RankSnapshot ranks) throws IOException {
        out.packArrayHeader(ranks.slots());
        for (Slot s : ranks.slotsByRank()) {
            out.packArrayHeader(SLOT_FIELDS).packBoolean(s.live());
            out.packLong(s.requests()).packLong(s.tokens());
            out.packLong(s.inFlightRequests()).packLong(s.inFlightPromptTokens());
            out.packLong(s.unseenRequests()).packLong(s.unseenPromptTokens());
            out.packBoolean(s.hasReport()).packInt(s.reportedRequests()).packInt(s.reportedWaitingRequests());
            out.packInt(s.reportedTokens()).packInt(s.reportedWaitingTokens()).packLong(s.reportedOutputTokens());
            out.packInt(s.maxTotalNumTokens()).packLong(s.requestsSinceReport()).packLong(s.tokensSinceReport());
        }
    }

    /** An entry of a file and its number. */
    public record Numbered(long number, DecisionEntry entry) {}

    /**
     * Reads a file's first array.
     *
     * @throws IOException if it is no decision record
     */
    public static void readHeader(MessageUnpacker in) throws IOException {
        if (!in.hasNext()
                || in.getNextFormat().getValueType() != ValueType.ARRAY
                || in.unpackArrayHeader() != 1
                || !in.unpackString().equals(MAGIC)) {
            throw new IOException("not a decision record");
        }
    }

    /** The next entry; null at the end, and at a last entry that is cut off, as a killed writer leaves it. */
    public Numbered read(MessageUnpacker in) throws IOException {
        try {
            return in.hasNext() ? entry(in) : null;
        } catch (MessageInsufficientBufferException e) {
            return null;
        }
    }

    private Numbered entry(MessageUnpacker in) throws IOException {
        in.unpackArrayHeader();
        long number = in.unpackLong();
        int kind = in.unpackInt();
        double atS = in.unpackDouble();
        DecisionEntry entry = switch (kind) {
            case POLICY ->
                new DecisionEntry.PolicySet(atS, in.unpackString(), in.unpackDouble(), in.unpackInt(), in.unpackLong());
            case REPORT -> new DecisionEntry.Reported(atS, ranks(in), loads(in));
            case DECISION ->
                new DecisionEntry.Decided(atS, request(in), in.unpackInt(), ranks(in), floats(in), floats(in));
            default -> throw new IOException("entry " + number + " is of unknown kind " + kind);
        };
        return new Numbered(number, entry);
    }

    private static RequestInfo request(MessageUnpacker in) throws IOException {
        String rid = optText(in);
        int promptTokens = in.unpackInt();
        long room = in.unpackLong();
        String routingKey = optText(in);
        long[] hashes = new long[in.unpackArrayHeader()];
        for (int i = 0; i < hashes.length; i++) {
            hashes[i] = in.unpackLong();
        }
        return new RequestInfo(rid, null, promptTokens, RequestInfo.NO_RANK, room, routingKey, hashes, false);
    }

    private static String optText(MessageUnpacker in) throws IOException {
        return in.tryUnpackNil() ? null : in.unpackString();
    }

    private static double[] floats(MessageUnpacker in) throws IOException {
        double[] values = new double[in.unpackArrayHeader()];
        for (int i = 0; i < values.length; i++) {
            values[i] = in.unpackFloat();
        }
        return values;
    }

    private List<GetLoadReqOutput> loads(MessageUnpacker in) throws IOException {
        List<GetLoadReqOutput> loads = new ArrayList<>();
        for (int i = in.unpackArrayHeader(); i > 0; i--) {
            try {
                loads.add((GetLoadReqOutput) messages.decode(in.readPayload(in.unpackBinaryHeader())));
            } catch (CodecException | ClassCastException e) {
                throw new IOException("a load of the decision record cannot be read: " + e.getMessage());
            }
        }
        return loads;
    }

    private static RankSnapshot ranks(MessageUnpacker in) throws IOException {
        Slot[] slots = new Slot[in.unpackArrayHeader()];
        for (int r = 0; r < slots.length; r++) {
            in.unpackArrayHeader();
            slots[r] = new Slot(
                    in.unpackBoolean(),
                    in.unpackLong(),
                    in.unpackLong(),
                    in.unpackLong(),
                    in.unpackLong(),
                    in.unpackLong(),
                    in.unpackLong(),
                    in.unpackBoolean(),
                    in.unpackInt(),
                    in.unpackInt(),
                    in.unpackInt(),
                    in.unpackInt(),
                    in.unpackLong(),
                    in.unpackInt(),
                    in.unpackLong(),
                    in.unpackLong());
        }
        return new RankSnapshot(slots);
    }

    private interface Writing {
        void to(MessagePacker out) throws IOException;
    }

    private static byte[] packed(Writing writing) {
        try (MessageBufferPacker out = MessagePack.newDefaultBufferPacker()) {
            writing.to(out);
            return out.toByteArray();
        } catch (IOException e) {
            throw new IllegalStateException("a buffer in memory cannot fail", e);
        }
    }
}
