package dpserve.io.codec;

import dpserve.io.codec.CodecException.Kind;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * What the controller needs of a request, read from its bytes without building the request: the bytes themselves are
 * forwarded. Reused for frame after frame by one thread; the getters speak of the newest {@link #read}.
 *
 * <p>Positions behind {@code stream} differ between SGLang releases, so they are looked up by the array's length; of a
 * layout that is not known only rid, http_worker_ipc and the prompt's length are read.
 */
public final class RequestHeader {
    /** Tags the controller dispatches. */
    public static final String GENERATE = RequestCodec.GENERATE;

    /** An embedding request; dispatched like a generate request. */
    public static final String EMBEDDING = "TokenizedEmbeddingReqInput";

    /** Several generate requests in one frame. */
    public static final String BATCH_GENERATE = RequestCodec.BATCH_GENERATE;

    /** Several embedding requests in one frame. */
    public static final String BATCH_EMBEDDING = "BatchTokenizedEmbeddingReqInput";

    private static final int PINNED_LENGTH = RequestCodec.GENERATE_LENGTH;
    private static final int EMBEDDING_ROUTED_DP_RANK = 10;
    private static final int ROOM_BEFORE_RANK = 3;
    private static final int ROUTING_KEY = 32;
    private static final int LEAST_ELEMENTS = 5;
    private static final IntArraySpan NO_IDS = new IntArraySpan(0, 0, 1, false);
    private static final int DISPATCH_TIME_BYTES = 9;

    /** Longer ends are not kept: copying them would cost more than reading. */
    private static final int MAX_LAST_END = 4096;

    private final WireScanner in = new WireScanner();
    private TextSpan rid;
    private KnownText httpWorkerIpc;
    private IntArraySpan inputIds = NO_IDS;
    private Long bootstrapRoom;
    private Integer routedDpRank;
    private String routingKey;
    private boolean hasDispatchTime;

    /** The end of the newest request that was read to its end, from behind the token ids; see {@link #endsAsBefore}. */
    private byte[] lastEnd = {};

    private int lastLength = -1;
    private boolean lastGenerate;

    /**
     * The tag of any message.
     *
     * @throws CodecException if the frame does not begin like a message
     */
    public String peekTag(byte[] frame) throws CodecException {
        in.reset(frame);
        if (in.array("message") == 0) {
            throw new CodecException(Kind.UNKNOWN_TAG, "empty array");
        }
        return KnownText.read(in, RequestCodec.GENERATE_TAG, "tag").text();
    }

    /**
     * Reads the header of a single request.
     *
     * @throws CodecException if it is none, or is damaged before the last position that is read
     */
    public RequestHeader read(byte[] frame) throws CodecException {
        in.reset(frame);
        int length = in.array("message");
        String tag = KnownText.read(in, RequestCodec.GENERATE_TAG, "tag").text();
        boolean generate = GENERATE.equals(tag);
        if (!generate && !EMBEDDING.equals(tag)) {
            throw new CodecException(Kind.UNKNOWN_TAG, "not a request");
        }
        StructReader s = new StructReader(in, tag, length, 1, LEAST_ELEMENTS);
        s.to(1);
        rid = in.nil() ? null : TextSpan.read(in, "rid");
        s.to(2);
        httpWorkerIpc =
                in.nil() ? null : KnownText.read(in, httpWorkerIpc, "http_worker_ipc"); // mostly the one before's
        s.to(4);
        inputIds = in.nil() ? NO_IDS : TokenIds.span(in, "input_ids");
        if (endsAsBefore(frame, length, generate)) {
            return this;
        }
        int end = in.position();
        int rankAt = generate ? routedDpRankAt(length) : EMBEDDING_ROUTED_DP_RANK;
        boolean known = rankAt > 0;
        bootstrapRoom = known && generate && s.to(rankAt - ROOM_BEFORE_RANK) ? in.optInteger("bootstrap_room") : null;
        routedDpRank = known && s.to(rankAt) ? in.optInt32("routed_dp_rank") : null;
        routingKey = length >= PINNED_LENGTH && generate && s.to(ROUTING_KEY) ? in.optText("routing_key") : null;
        hasDispatchTime = endsInDispatchTime(s);
        if (frame.length - end <= MAX_LAST_END) {
            lastEnd = Arrays.copyOfRange(frame, end, frame.length);
            lastLength = length;
            lastGenerate = generate;
        }
        return this;
    }

    /**
     * Whether all that follows the token ids is byte for byte what the request before had there, as with requests of one client:
     * then it means the same, and 80 fields need not be passed over one by one.
     */
    private boolean endsAsBefore(byte[] frame, int length, boolean generate) {
        int from = in.position();
        boolean same = length == lastLength
                && generate == lastGenerate
                && Arrays.equals(frame, from, frame.length, lastEnd, 0, lastEnd.length);
        if (!same) {
            lastLength = -1; // until this one has been read to its end
        }
        return same;
    }

    /** Index of routed_dp_rank by the array's length, 0 where the layout is not known; from the releases' history. */
    private static int routedDpRankAt(int length) {
        return switch (length) {
            case 42 -> 27;
            case 43 -> 28;
            case 44 -> 29;
            case 45, 46, PINNED_LENGTH, PINNED_LENGTH + 1 -> 30;
            default -> 0;
        };
    }

    private boolean endsInDispatchTime(StructReader s) throws CodecException {
        long lastKey = -1;
        int valueAt = -1;
        for (int i = s.ext(); i > 0; i--) {
            lastKey = in.integer("extension key");
            valueAt = in.position();
            WireValues.skip(in, ExtKeys.TAG);
        }
        s.finish();
        return lastKey == ExtKeys.DISPATCH_TIME && in.atEnd() && in.position() - valueAt == DISPATCH_TIME_BYTES;
    }

    /**
     * Splits a batch into its items. Each item is a message of its own, because it carries its tag.
     *
     * @return copies, in order
     */
    public List<byte[]> splitBatch(byte[] frame) throws CodecException {
        in.reset(frame);
        int length = in.array("message");
        String batchTag = in.text("tag");
        if (!BATCH_GENERATE.equals(batchTag) && !BATCH_EMBEDDING.equals(batchTag)) {
            throw new CodecException(Kind.UNKNOWN_TAG, "not a batch of requests");
        }
        StructReader s = new StructReader(in, batchTag, length, 1, 4);
        s.to(3);
        List<byte[]> items = new ArrayList<>();
        for (int i = in.array("batch"); i > 0; i--) {
            int from = in.position();
            WireValues.skip(in, "batch");
            items.add(Arrays.copyOfRange(frame, from, in.position()));
        }
        return items;
    }

    /** The wire rid, from SGLang's tokenizer the user's; null if there is none. It may lie in the frame. */
    public TextSpan rid() {
        return rid;
    }

    /** PULL endpoint of the tokenizer worker, or null. */
    public String httpWorkerIpc() {
        return httpWorkerIpc == null ? null : httpWorkerIpc.text();
    }

    /** Number of prompt tokens. */
    public int promptTokens() {
        return inputIds.count();
    }

    /**
     * Hashes of the prompt's prefixes, of the frame of the newest {@link #read}.
     *
     * @return as {@link PrefixHash#of}, whatever the form of the array
     */
    public long[] prefixHashes(byte[] frame) {
        long[] hashes = new long[Math.min(PrefixHash.MAX_BLOCKS, inputIds.count() / PrefixHash.BLOCK_TOKENS)];
        long h = PrefixHash.START;
        int from = inputIds.offset();
        for (int block = 0; block < hashes.length; block++) {
            for (int i = 0; i < PrefixHash.BLOCK_TOKENS; i++, from += inputIds.itemBytes()) {
                h = PrefixHash.extend(h, TokenIds.item(frame, from, inputIds));
            }
            hashes[block] = PrefixHash.finish(h);
        }
        return hashes;
    }

    /** PD disaggregation's room, or null. */
    public Long bootstrapRoom() {
        return bootstrapRoom;
    }

    /** The rank the client asked for, or null. */
    public Integer routedDpRank() {
        return routedDpRank;
    }

    /** Session key for affinity policies, or null; only of the pinned layout. */
    public String routingKey() {
        return routingKey;
    }

    /** Whether the message ends in a dispatch_time placeholder: its last 8 bytes are the big-endian double. */
    public boolean hasDispatchTime() {
        return hasDispatchTime;
    }
}
