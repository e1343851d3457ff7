package dpserve.controller.process;

import dpserve.controller.DataParallelController;
import dpserve.controller.policy.RequestInfo;
import dpserve.io.LogLimiter;
import dpserve.io.codec.CodecException;
import dpserve.io.codec.IntArrayForm;
import dpserve.io.codec.MessageCodec;
import dpserve.io.codec.RequestHeader;
import dpserve.io.message.Message;
import dpserve.io.message.WatchLoadUpdateReq;
import java.util.Locale;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;

/**
 * Reads the frames of one request stream on the thread that receives them: of requests the header, of everything else
 * the whole message. A frame that is none of both is dropped and counted, except one with a tag that is unknown here,
 * which may be a control call of SGLang's.
 */
final class StreamReader implements Consumer<byte[]> {

    private static final long[] NO_HASHES = {};

    private final int stream;
    private final BooleanSupplier prefixHashes;
    private final DataParallelController controller;
    private final Inbox inbox;
    private final ReportInjection reports;
    private final LogLimiter limiter;
    private final RequestHeader header = new RequestHeader();
    private final MessageCodec codec = new MessageCodec(IntArrayForm.INT32);

    /** @param prefixHashes whether the policy wants them now */
    StreamReader(
            int stream,
            BooleanSupplier prefixHashes,
            DataParallelController controller,
            Inbox inbox,
            ReportInjection reports,
            LogLimiter limiter) {
        this.stream = stream;
        this.prefixHashes = prefixHashes;
        this.controller = controller;
        this.inbox = inbox;
        this.reports = reports;
        this.limiter = limiter;
    }

    @Override
    public void accept(byte[] frame) {
        try {
            read(frame);
        } catch (CodecException e) {
            limiter.warn("bad_frame_" + e.kind().name().toLowerCase(Locale.ROOT), e.getMessage());
        }
    }

    private void read(byte[] frame) throws CodecException {
        String tag = header.peekTag(frame);
        switch (tag) {
            case RequestHeader.GENERATE, RequestHeader.EMBEDDING -> request(frame);
            case RequestHeader.BATCH_GENERATE, RequestHeader.BATCH_EMBEDDING -> {
                for (byte[] item : header.splitBatch(frame)) {
                    request(item);
                }
            }
            default -> message(tag, frame);
        }
    }

    private void request(byte[] frame) throws CodecException {
        header.read(frame);
        Integer pin = header.routedDpRank();
        Long room = header.bootstrapRoom();
        RequestInfo info = new RequestInfo(
                header.rid(),
                header.httpWorkerIpc(),
                header.promptTokens(),
                pin == null ? RequestInfo.NO_RANK : pin,
                room == null ? RequestInfo.NO_ROOM : room,
                header.routingKey(),
                prefixHashes.getAsBoolean() ? header.prefixHashes(frame) : NO_HASHES,
                header.hasDispatchTime());
        inbox.addStream(nowNs -> controller.onRequest(stream, info, frame, nowNs), frame.length);
    }

    private void message(String tag, byte[] frame) throws CodecException {
        Message message;
        try {
            message = codec.decode(frame);
        } catch (CodecException e) {
            if (e.kind() != CodecException.Kind.UNKNOWN_TAG) {
                throw e;
            }
            inbox.addStream(nowNs -> controller.onUnknownTag(stream, tag, frame), frame.length);
            return;
        }
        if (message instanceof WatchLoadUpdateReq update) {
            reports.add(update.loads());
        } else {
            inbox.addStream(nowNs -> controller.onStreamMessage(stream, message, frame, nowNs), frame.length);
        }
    }
}
